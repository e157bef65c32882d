import { randomUUID } from "node:crypto";
import {
  type NewTaskRunState,
  type StateDetails,
  StateType,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

async function recordAndRead(given: Partial<NewTaskRunState>): Promise<TaskRunState | null> {
  const { id } = await record(dataSource.manager, given);
  return service.readTaskRunState(dataSource.manager, id);
}

test("a state needs a task run and a type; all else has a default", async () => {
  const taskRunId = randomUUID();
  const before = await databaseTime();
  const state = await recordAndRead({ taskRunId, type: StateType.RUNNING });
  const after = await databaseTime();
  expect({ ...state }).toEqual({
    id: expect.stringMatching(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/),
    created: expect.any(Date),
    updated: expect.any(Date),
    type: "RUNNING",
    timestamp: expect.any(Date),
    name: "Running",
    message: null,
    stateDetails: {},
    data: null,
    taskRunId,
    resultArtifactId: null,
  });
  for (const time of [state?.created, state?.updated, state?.timestamp]) {
    expect(time?.getTime()).toBeGreaterThanOrEqual(before.getTime());
    expect(time?.getTime()).toBeLessThanOrEqual(after.getTime());
  }
});

test("save fills in the defaults of the state that it is given", async () => {
  const { manager } = dataSource;
  const saved = await manager.save(
    manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.PENDING }),
  );
  expect({ ...saved }).toEqual({ ...(await service.readTaskRunState(manager, saved.id)) });
});

test("the name is the type in title case", async () => {
  const names = [];
  for (const type of Object.values(StateType)) names.push((await recordAndRead({ type }))?.name);
  expect(names).toEqual([
    "Scheduled",
    "Pending",
    "Running",
    "Completed",
    "Failed",
    "Cancelled",
    "Crashed",
    "Paused",
    "Cancelling",
  ]);
});

test("a SCHEDULED state without a scheduled time gets the time of insertion; its other details and the caller's object stay", async () => {
  const stateDetails: StateDetails = { cache_key: "orders", scheduled_time: null };
  const before = Date.now();
  const state = await recordAndRead({ type: StateType.SCHEDULED, stateDetails });
  expect(state?.stateDetails).toEqual({ cache_key: "orders", scheduled_time: expect.any(String) });
  const scheduled = new Date(state?.stateDetails.scheduled_time ?? "").getTime();
  expect(scheduled).toBeGreaterThanOrEqual(before);
  expect(scheduled).toBeLessThanOrEqual(Date.now());
  expect(stateDetails.scheduled_time).toBeNull();

  const withoutDetails = await recordAndRead({ type: StateType.SCHEDULED });
  expect(withoutDetails?.stateDetails).toEqual({ scheduled_time: expect.any(String) });
});

test("a scheduled time that is given stays, and other types get none", async () => {
  const stateDetails = { scheduled_time: "2030-01-01T00:00:00Z" };
  expect((await recordAndRead({ type: StateType.SCHEDULED, stateDetails }))?.stateDetails).toEqual(
    stateDetails,
  );
  expect((await recordAndRead({ type: StateType.PENDING }))?.stateDetails).toEqual({});
});

test("an empty name stays", async () => {
  expect((await recordAndRead({ name: "" }))?.name).toBe("");
});

test("the transaction that records a state and changes it sets an updated that is not before created", async () => {
  const { id } = await dataSource.transaction(async (manager) => {
    await manager.query("SELECT pg_sleep(0.01)");
    const state = await record(manager);
    return manager.save(Object.assign(state, { message: "changed" }));
  });
  const [{ inOrder }] = await dataSource.query(
    'SELECT updated >= created AS "inOrder" FROM task_run_state WHERE id = $1',
    [id],
  );
  expect(inOrder).toBe(true);
});

test("saving a change sets updated and leaves created", async () => {
  const { manager } = dataSource;
  const { id } = await record(manager);
  await manager.query("UPDATE task_run_state SET created = 'epoch', updated = 'epoch' WHERE id = $1", [id]);
  const state = await service.readTaskRunState(manager, id);
  await manager.save(Object.assign(state ?? {}, { message: "changed" }));
  const changed = await service.readTaskRunState(manager, id);
  expect(changed).toMatchObject({ message: "changed", created: new Date(0) });
  expect(changed?.updated.getTime()).toBeGreaterThan(0);
});

describe("PostgreSQL refuses what lacks a value that has no default, and stores nothing:", () => {
  const [id, taskRunId, type] = [randomUUID(), randomUUID(), StateType.RUNNING];
  const create = (given: Partial<TaskRunState>) => dataSource.manager.create(TaskRunState, given);

  test.each<[string, () => Partial<TaskRunState>, column: string]>([
    ["a plain object without name", () => ({ id, taskRunId, type }), "name"],
    ["a state without type", () => create({ taskRunId }), "type"],
    ["a state without task run", () => create({ type }), "task_run_id"],
  ])("%s", async (_, state, column) => {
    const { manager } = dataSource;
    const before = await manager.count(TaskRunState);
    const insertion = manager.insert(TaskRunState, state());
    expect(await sqlStateOf(insertion)).toBe("23502");
    expect(await failureOf(insertion)).toHaveProperty("driverError.column", column);
    expect(await manager.count(TaskRunState)).toBe(before);
  });
});

async function databaseTime(): Promise<Date> {
  const [{ now }] = await dataSource.query("SELECT date_trunc('milliseconds', clock_timestamp()) AS now");
  return now;
}
