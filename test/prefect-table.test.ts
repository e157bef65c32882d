import { randomUUID } from "node:crypto";
import { QueryFailedError } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";
import { insertRecordedStates, recordedRuns, recordedStates } from "../dev/prefect/history";
import { PREFECT_TABLE } from "../dev/prefect/table";
import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect({ migrationsRun: false });
  await dataSource.query(PREFECT_TABLE);
  await dataSource.query("INSERT INTO task_run SELECT unnest($1::uuid[])", [[...recordedRuns.keys()]]);
  await insertRecordedStates(dataSource.manager);
});

async function addTaskRun(): Promise<string> {
  const id = randomUUID();
  await dataSource.query("INSERT INTO task_run VALUES ($1)", [id]);
  return id;
}

test("states that Prefect recorded read and list", async () => {
  for (const [taskRunId, recorded] of recordedRuns) {
    const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
    expect(states.map(({ id, stateDetails }) => ({ id, stateDetails }))).toEqual(
      recorded.map(({ id, state_details }) => ({ id, stateDetails: state_details })),
    );
  }
  const [first] = recordedStates;
  expect(await service.readTaskRunState(dataSource.manager, first?.id ?? "")).toMatchObject({
    id: first?.id,
    name: first?.name,
    type: first?.type,
  });
});

test("a state is recorded, read and deleted", async () => {
  const taskRunId = await addTaskRun();
  const { manager } = dataSource;
  const { id } = await manager.save(manager.create(TaskRunState, { taskRunId, type: StateType.SCHEDULED }));
  expect(await service.readTaskRunState(manager, id)).toMatchObject({
    id,
    taskRunId,
    name: "Scheduled",
    timestamp: expect.any(Date),
    stateDetails: { scheduled_time: expect.any(String) },
  });
  expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  expect(await service.readTaskRunStates(manager, taskRunId)).toEqual([]);
});

test("empty details and keys that this module does not know come through", async () => {
  const taskRunId = await addTaskRun();
  const details = [{}, { a_key_of_tomorrow: [1, { nested: true }], cache_key: "known" }];
  for (const [index, stateDetails] of details.entries()) {
    await dataSource.query(
      `INSERT INTO task_run_state (type, name, task_run_id, "timestamp", state_details)
       VALUES ('RUNNING', 'Running', $1, $2, $3)`,
      [taskRunId, new Date(index), stateDetails],
    );
  }
  const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
  expect(states.map(({ stateDetails }) => stateDetails)).toEqual(details);
});

test("an equal timestamp surfaces the database's own unique violation, and the first state stays", async () => {
  const taskRunId = await addTaskRun();
  const { manager } = dataSource;
  const state = { taskRunId, type: StateType.RUNNING, timestamp: new Date() };
  const { id } = await manager.save(manager.create(TaskRunState, state));
  const error = await failureOf(manager.save(manager.create(TaskRunState, state)));
  expect(error).toBeInstanceOf(QueryFailedError);
  expect(error).toHaveProperty("driverError.code", "23505");
  expect(error).toHaveProperty("driverError.constraint", "uq_task_run_state__task_run_id_timestamp_desc");
  expect((await service.readTaskRunStates(manager, taskRunId)).map((kept) => kept.id)).toEqual([id]);
});

test("two states without a timestamp in one transaction get the same, the transaction's start, and are refused", async () => {
  const taskRunId = await addTaskRun();
  const recording = dataSource.transaction(async (manager) => {
    await record(manager, { taskRunId });
    await record(manager, { taskRunId });
  });
  await expect(recording).rejects.toMatchObject({ driverError: { code: "23505" } });
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
});
