import { randomUUID } from "node:crypto";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";
import {
  insertRecordedStates,
  type RecordedState,
  recordedRuns,
  recordedStates,
} from "../dev/prefect/history";
import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
  await insertRecordedStates(dataSource.manager);
});

const idsOf = (states: { id: string }[]) => states.map(({ id }) => id);

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

test("a task run with three states lists three", async () => {
  const [taskRunId, recorded] = [...recordedRuns].find(([, states]) => states.length === 3) ?? ["", []];
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toHaveLength(3);
  expect(recorded.map(({ name }) => name)).toEqual(["Pending", "Running", "Completed"]);
});

test("an unknown task run lists as an empty array", async () => {
  expect(await service.readTaskRunStates(dataSource.manager, randomUUID())).toEqual([]);
});

test("deleting a state tells true, and the state then reads as null", async () => {
  const { id } = await record(dataSource.manager, { type: StateType.RUNNING });
  expect(await service.deleteTaskRunState(dataSource.manager, id)).toBe(true);
  expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
});

test("deleting an unknown id tells false", async () => {
  expect(await service.deleteTaskRunState(dataSource.manager, randomUUID())).toBe(false);
});

test("an id is found in any case, and of any version and variant", async () => {
  for (const id of [
    "ffffffff-ffff-ffff-ffff-ffffffffffff",
    "00000000-0000-0000-0000-000000000000",
    "01a202e3-518d-4ab3-c674-4b13d969cbbd",
  ]) {
    await record(dataSource.manager, { id, type: StateType.PENDING });
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
    created: new Date("2024-03-01T00:00:00.001Z"),
    updated: new Date("2024-03-01T00:00:00.002Z"),
    stateDetails: { pause_key: "approve-1", pause_reschedule: true, custom: { nested: [1, "two", null] } },
    data: [{ deep: { list: [[], {}, 0.1, -1e300] } }, null, "text", false],
    resultArtifactId: randomUUID(),
  };
  await dataSource.manager.insert(TaskRunState, dataSource.manager.create(TaskRunState, given));
  const state = await service.readTaskRunState(dataSource.manager, given.id);
  expect({ ...state }).toStrictEqual(given);
});

test("a state that arrives late is recorded and listed at its time, in every order of arrival", async () => {
  const pending = { type: StateType.PENDING, timestamp: new Date("2026-01-01T00:00:00Z") };
  const running = { type: StateType.RUNNING, timestamp: new Date("2026-01-01T00:00:01Z") };
  const completed = { type: StateType.COMPLETED, timestamp: new Date("2026-01-01T00:00:02Z") };
  for (const arrival of [
    [pending, running, completed],
    [pending, completed, running],
    [running, pending, completed],
    [running, completed, pending],
    [completed, pending, running],
    [completed, running, pending],
  ]) {
    const taskRunId = randomUUID();
    for (const state of arrival) await record(dataSource.manager, { taskRunId, ...state });
    const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
    expect(states.map(({ name }) => name)).toEqual(["Pending", "Running", "Completed"]);
  }
});

test("deleting the states of one task run leaves those of others alone", async () => {
  const [kept, deleted] = [randomUUID(), randomUUID()];
  for (const taskRunId of [kept, deleted, kept, deleted])
    await record(dataSource.manager, { taskRunId, type: StateType.RUNNING });
  const before = await service.readTaskRunStates(dataSource.manager, kept);
  for (const id of idsOf(await service.readTaskRunStates(dataSource.manager, deleted))) {
    expect(await service.deleteTaskRunState(dataSource.manager, id)).toBe(true);
  }
  expect(await service.readTaskRunStates(dataSource.manager, deleted)).toEqual([]);
  expect(await service.readTaskRunStates(dataSource.manager, kept)).toEqual(before);
  expect(before).toHaveLength(2);
});

test("each method sends exactly one statement, without BEGIN or COMMIT", async () => {
  const { id, taskRunId } = await record(dataSource.manager, { type: StateType.RUNNING });
  dataSource.statements.length = 0;
  await service.readTaskRunState(dataSource.manager, id);
  await service.readTaskRunStates(dataSource.manager, taskRunId);
  await service.deleteTaskRunState(dataSource.manager, id);
  expect(dataSource.statements.map((sql) => sql.split(" ")[0])).toEqual(["SELECT", "SELECT", "DELETE"]);
});
