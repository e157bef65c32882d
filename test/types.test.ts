import { randomUUID } from "node:crypto";
import {
  type JsonValue,
  type StateDetails,
  StateType,
  TaskRunState,
  TaskRunStateService,
  TERMINAL_STATE_TYPES,
} from "typeorm-task-run-state";

import { useDatabase } from "./support/database";

const database = useDatabase();
const service = new TaskRunStateService();

test("a type is written as a literal, and read from JSON", async () => {
  const { manager } = await database.connect();
  const type: StateType = "RUNNING";
  const fromJson: { type: StateType } = JSON.parse('{ "type": "COMPLETED" }');
  const taskRunId = randomUUID();
  await manager.insert(TaskRunState, [
    manager.create(TaskRunState, { taskRunId, type: "PENDING" }),
    manager.create(TaskRunState, { taskRunId, type }),
    manager.create(TaskRunState, { taskRunId, ...fromJson }),
  ]);
  const states = await service.readTaskRunStates(manager, taskRunId);
  expect(states.map((state) => state.type)).toEqual([
    StateType.PENDING,
    StateType.RUNNING,
    StateType.COMPLETED,
  ]);
});

test("a state is written as a literal, as a host's own test writes one", async () => {
  const { manager } = await database.connect();
  const stateDetails: StateDetails = { retriable: true, attempt: 1 };
  const data: JsonValue = { rows: [1, "two", null] };
  const literal: TaskRunState = {
    id: randomUUID(),
    created: new Date("2026-01-01T00:00:00Z"),
    updated: new Date("2026-01-01T00:00:00Z"),
    type: "FAILED",
    timestamp: new Date("2026-01-01T00:00:00Z"),
    name: "Failed",
    message: null,
    stateDetails,
    data,
    taskRunId: randomUUID(),
    resultArtifactId: null,
  };
  await manager.insert(TaskRunState, literal);
  expect(await service.readTaskRunState(manager, literal.id)).toMatchObject(literal);
});

test("the terminal types are Prefect's, and whether a state's type is one is asked with `has`", () => {
  const terminal = Object.values(StateType).filter((type) => TERMINAL_STATE_TYPES.has(type));
  expect(terminal).toEqual(["COMPLETED", "FAILED", "CANCELLED", "CRASHED"]);
  expect(TERMINAL_STATE_TYPES.size).toBe(4);
});
