import { randomUUID } from "node:crypto";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { setState, TaskRun } from "../examples/host/task-run";
import { type TestDataSource, useDatabase } from "./support/database";
import { sqlStateOf } from "./support/failure-of";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect({ entities: [TaskRun, TaskRunState], extra: { max: 16 } });
  await dataSource.query("CREATE TABLE task_run (id uuid PRIMARY KEY, current_type varchar)");
});

async function startTaskRun(): Promise<string> {
  const id = randomUUID();
  await dataSource.manager.insert(TaskRun, { id });
  return id;
}

async function typesOf(taskRunId: string) {
  const { currentType } = await dataSource.manager.findOneByOrFail(TaskRun, { id: taskRunId });
  const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
  return { currentType, types: states.map(({ type }) => type) };
}

test("a state that is set is the task run's current one and the last of its history", async () => {
  const taskRunId = await startTaskRun();
  await setState(dataSource.manager, { taskRunId, type: "PENDING" });
  expect(await setState(dataSource.manager, { taskRunId, type: "RUNNING" })).toMatchObject({
    type: "RUNNING",
  });
  expect(await typesOf(taskRunId)).toEqual({ currentType: "RUNNING", types: ["PENDING", "RUNNING"] });
});

test("when the history refuses a state, the current one stays as it was too", async () => {
  const taskRunId = await startTaskRun();
  const { id } = (await setState(dataSource.manager, { taskRunId, type: "RUNNING" })) ?? {};
  expect(await sqlStateOf(setState(dataSource.manager, { id, taskRunId, type: "FAILED" }))).toBe("23505");
  expect(await typesOf(taskRunId)).toEqual({ currentType: "RUNNING", types: ["RUNNING"] });
});

test("of states that are set at once none is lost, and the last of the history is the current one", async () => {
  const taskRunId = await startTaskRun();
  const set = Array.from({ length: 10 }, () => Object.values(StateType)).flat();
  await Promise.all(set.map((type) => setState(dataSource.manager, { taskRunId, type })));
  const { currentType, types } = await typesOf(taskRunId);
  expect([...types].sort()).toEqual([...set].sort());
  expect(types.at(-1)).toBe(currentType);
});

test("for an unknown task run nothing is recorded", async () => {
  const taskRunId = randomUUID();
  expect(await setState(dataSource.manager, { taskRunId, type: "RUNNING" })).toBeNull();
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
});
