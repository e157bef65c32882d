import { oneClass } from "./one-class.js";
import { roundTrip } from "./round-trip.js";

oneClass().then(roundTrip);
