const { equal } = require("node:assert/strict");
const typeorm = require("typeorm");
const required = require("typeorm-task-run-state");
const { roundTrip } = require("./round-trip.cjs");

async function main() {
  const imported = await import("typeorm-task-run-state");
  equal(imported.TaskRunState, required.TaskRunState);
  await roundTrip(typeorm, required);
}

main();
