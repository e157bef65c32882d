import { randomUUID } from "node:crypto";
import { QueryFailedError } from "typeorm";
import { type StateDetails, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

async function recordAndRead(given: Partial<TaskRunState>): Promise<TaskRunState | null> {
  const { manager } = dataSource;
  const { id } = await record(manager, given);
  return service.readTaskRunState(manager, id);
}

test("a state needs a task run and a type; all else has a default", async () => {
  const taskRunId = randomUUID();
  const before = await databaseTime();
  const { manager } = dataSource;
  const saved = await manager.save(manager.create(TaskRunState, { taskRunId, type: StateType.RUNNING }));
  const after = await databaseTime();

  const state = await service.readTaskRunState(manager, saved.id);
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

test("a saved state carries its defaults at once, without a second read", async () => {
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

test("a SCHEDULED state without a scheduled time is due now; its other details stay, and so does the caller's object", async () => {
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

test("what is given is not replaced by a default", async () => {
  const given = {
    id: randomUUID(),
    name: "AwaitingRetry",
    created: new Date("2020-01-01T00:00:00.001Z"),
    updated: new Date("2020-01-01T00:00:00.002Z"),
    timestamp: new Date("2020-01-01T00:00:00.003Z"),
    stateDetails: { pause_key: "approve" },
  };
  expect(await recordAndRead({ type: StateType.PAUSED, ...given })).toMatchObject(given);
  expect((await recordAndRead({ type: StateType.PAUSED, name: "" }))?.name).toBe("");
});

test("ids of later states are greater", async () => {
  const ids = [];
  for (let index = 0; index < 50; index++) ids.push((await recordAndRead({ type: StateType.RUNNING }))?.id);
  expect(ids).toEqual(ids.toSorted());
});

test("a state that is changed in the transaction that recorded it was not updated before it was created", async () => {
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
  const state = await recordAndRead({ type: StateType.RUNNING, updated: new Date(0), created: new Date(0) });
  await dataSource.manager.save(Object.assign(state ?? {}, { message: "changed" }));
  const changed = await service.readTaskRunState(dataSource.manager, state?.id ?? "");
  expect(changed).toMatchObject({ message: "changed", created: new Date(0) });
  expect(changed?.updated.getTime()).toBeGreaterThan(0);
});

describe("what lacks a value that has no default is refused by the database, and nothing is stored:", () => {
  test.each([
    [
      "a plain object without name",
      { id: randomUUID(), taskRunId: randomUUID(), type: StateType.RUNNING },
      "name",
    ],
  ])("%s", async (_, plainObject, column) => {
    const insert = dataSource.manager.insert(TaskRunState, plainObject);
    await expectNotNullViolation(insert, column);
  });

  test.each([
    ["a state without type", { taskRunId: randomUUID() }, "type"],
    ["a state without task run", { type: StateType.RUNNING }, "task_run_id"],
  ])("%s", async (_, given, column) => {
    await expectNotNullViolation(
      dataSource.manager.save(dataSource.manager.create(TaskRunState, given)),
      column,
    );
  });

  async function expectNotNullViolation(insertion: Promise<unknown>, column: string) {
    const before = await dataSource.manager.count(TaskRunState);
    await expect(insertion).rejects.toThrow(QueryFailedError);
    await expect(insertion).rejects.toMatchObject({ driverError: { code: "23502", column } });
    expect(await dataSource.manager.count(TaskRunState)).toBe(before);
  }
});

test("a type that does not exist is refused by the database, and nothing is stored", async () => {
  const before = await dataSource.manager.count(TaskRunState);
  await expect(recordAndRead({ type: "RESTING" as StateType })).rejects.toMatchObject({
    driverError: { code: "22P02" },
  });
  expect(await dataSource.manager.count(TaskRunState)).toBe(before);
});

async function databaseTime(): Promise<Date> {
  const [{ now }] = await dataSource.query("SELECT date_trunc('milliseconds', clock_timestamp()) AS now");
  return now;
}
