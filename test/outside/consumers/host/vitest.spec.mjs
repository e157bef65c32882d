import { test } from "vitest";
import { oneClass } from "./one-class";
import { roundTrip } from "./round-trip";

test("import and require load one class", oneClass);
test("a round trip", roundTrip);
