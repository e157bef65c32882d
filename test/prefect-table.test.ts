import { randomUUID } from "node:crypto";
import { recordTaskRunStates, StateType, TaskRunStateService } from "typeorm-task-run-state";
import { insertRecordedStates, recordedRuns, recordedStates } from "../scripts/prefect/history";
import { PREFECT_TABLE } from "../scripts/prefect/table";
import { type TestDataSource, useDatabase } from "./support/database";
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

test("the service reads and lists the states that Prefect recorded", async () => {
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

test("a host records, reads and deletes a state", async () => {
  const taskRunId = await addTaskRun();
  const { manager } = dataSource;
  const { id } = await record(manager, { taskRunId, type: StateType.SCHEDULED });
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

test("empty details and keys that this module does not know come back as they were", async () => {
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

test("states that one transaction records without a timestamp get times of their own, as Prefect's unique index wants", async () => {
  const taskRunId = await addTaskRun();
  const recorded = await dataSource.transaction((manager) =>
    recordTaskRunStates(manager, Array(100).fill({ taskRunId, type: "RUNNING" })),
  );
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual(recorded);
});
