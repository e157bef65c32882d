import { randomUUID } from "node:crypto";
import { QueryFailedError } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { insertRecordedStates, recordedRuns, recordedStates } from "./support/history";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

// The table as a migrated Prefect 3 server has it, with the least of the two tables that it refers to.
const PREFECT_TABLE = `
  CREATE TYPE state_type AS ENUM ('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED',
    'CRASHED', 'PAUSED', 'CANCELLING');
  CREATE TABLE task_run (id uuid PRIMARY KEY);
  CREATE TABLE artifact (id uuid PRIMARY KEY);
  CREATE TABLE task_run_state (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    created timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    type state_type NOT NULL,
    "timestamp" timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    name varchar NOT NULL,
    message varchar,
    state_details jsonb DEFAULT '{}' NOT NULL,
    data jsonb,
    task_run_id uuid NOT NULL,
    result_artifact_id uuid,
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__task_run_id__task_run
      FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE CASCADE,
    CONSTRAINT fk_task_run_state__result_artifact_id__artifact
      FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL
  );
  CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc
    ON task_run_state (task_run_id, "timestamp" DESC);
  CREATE INDEX ix_task_run_state__name ON task_run_state (name);
  CREATE INDEX ix_task_run_state__type ON task_run_state (type);
  CREATE INDEX ix_task_run_state__updated ON task_run_state (updated);
  CREATE INDEX ix_task_run_state__result_artifact_id ON task_run_state (result_artifact_id);
`;

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
  const error = await manager.save(manager.create(TaskRunState, state)).catch((reason) => reason);
  expect(error).toBeInstanceOf(QueryFailedError);
  expect(error.driverError).toMatchObject({
    code: "23505",
    constraint: "uq_task_run_state__task_run_id_timestamp_desc",
  });
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
