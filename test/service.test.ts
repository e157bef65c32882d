import { randomUUID } from "node:crypto";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";
import {
  insertRecordedStates,
  type RecordedState,
  recordedRuns,
  recordedStates,
} from "../scripts/prefect/history";
import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
  await insertRecordedStates(dataSource.manager);
});

function asEntity(recorded: RecordedState): Record<string, unknown> {
  return {
    id: recorded.id,
    created: new Date(recorded.created),
    updated: new Date(recorded.updated),
    type: recorded.type,
    timestamp: new Date(recorded.timestamp),
    name: recorded.name,
    message: recorded.message,
    stateDetails: recorded.state_details,
    data: recorded.data,
    taskRunId: recorded.task_run_id,
    resultArtifactId: recorded.result_artifact_id,
  };
}

test("each of the 281 recorded states reads by id as it was recorded, field by field", async () => {
  expect(recordedStates).toHaveLength(281);
  for (const recorded of recordedStates) {
    const state = await service.readTaskRunState(dataSource.manager, recorded.id);
    expect(state).toBeInstanceOf(TaskRunState);
    expect({ ...state }).toStrictEqual(asEntity(recorded));
  }
});

test("each of the ten recorded task runs lists in the recorded order", async () => {
  expect(recordedRuns.size).toBe(10);
  for (const [taskRunId, recorded] of recordedRuns) {
    const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
    expect(states.map((state) => ({ ...state }))).toStrictEqual(recorded.map(asEntity));
    expect(states.every((state) => state instanceof TaskRunState)).toBe(true);
  }
});

test("an unknown id reads as null", async () => {
  expect(await service.readTaskRunState(dataSource.manager, randomUUID())).toBeNull();
});

test("an unknown task run lists as an empty array", async () => {
  expect(await service.readTaskRunStates(dataSource.manager, randomUUID())).toEqual([]);
});

test("deleting a state returns true, and the state then reads as null", async () => {
  const { id } = await record(dataSource.manager);
  expect(await service.deleteTaskRunState(dataSource.manager, id)).toBe(true);
  expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
});

test("deleting an unknown id returns false", async () => {
  expect(await service.deleteTaskRunState(dataSource.manager, randomUUID())).toBe(false);
});

test("the methods find an id in any case, and of any version and variant", async () => {
  for (const id of [
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000000",
    "01a202e3-518d-4ab3-c674-4b13d969cbbd",
  ]) {
    await record(dataSource.manager, { id });
    expect((await service.readTaskRunState(dataSource.manager, id.toUpperCase()))?.id).toBe(id);
    expect(await service.deleteTaskRunState(dataSource.manager, id.toUpperCase())).toBe(true);
  }
});

test("type, name, message, timestamp, details and data come back exactly", async () => {
  const given = {
    id: randomUUID(),
    taskRunId: randomUUID(),
    type: StateType.PAUSED,
    name: "Waiting for 'approval' — ⏳",
    message: 'line one\nline two\t"quoted" \\ {braces} $1 ; DROP TABLE task_run_state --',
    timestamp: new Date("2024-02-29T23:59:59.999Z"),
    stateDetails: { pause_key: "approve-1", pause_reschedule: true, custom: { nested: [1, "two", null] } },
    data: [{ deep: { list: [[], {}, 0.1, -1e300] } }, null, "text", false],
    resultArtifactId: randomUUID(),
  };
  await record(dataSource.manager, given);
  const state = await service.readTaskRunState(dataSource.manager, given.id);
  const byPostgres = { created: expect.any(Date), updated: expect.any(Date) };
  expect({ ...state }).toStrictEqual({ ...given, ...byPostgres });
});

test("deleting the states of one task run leaves those of others alone", async () => {
  const { manager } = dataSource;
  const [kept, deleted] = [randomUUID(), randomUUID()];
  for (const taskRunId of [kept, deleted, kept, deleted]) await record(manager, { taskRunId });
  const before = await service.readTaskRunStates(manager, kept);
  expect(before).toHaveLength(2);
  for (const { id } of await service.readTaskRunStates(manager, deleted)) {
    expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  }
  expect(await service.readTaskRunStates(manager, deleted)).toEqual([]);
  expect(await service.readTaskRunStates(manager, kept)).toEqual(before);
});
