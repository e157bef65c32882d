const typeorm = require("typeorm");
const required = require("typeorm-task-run-state");
const { roundTrip } = require("./round-trip.cjs");

test("import and require load one class", async () => {
  const imported = await import("typeorm-task-run-state");
  expect(imported.TaskRunState).toBe(required.TaskRunState);
});

test("a round trip", () => roundTrip(typeorm, required));
