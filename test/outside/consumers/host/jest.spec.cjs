const { oneClass } = require("./dist/one-class.js");
const { roundTrip } = require("./dist/round-trip.js");

test("import and require load one class", oneClass);
test("a round trip", roundTrip);
