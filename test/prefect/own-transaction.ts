import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { StateType, TaskRunState } from "typeorm-task-run-state";

import { until } from "../support/until";
import { ask, type Live, service } from "./live";

/** Deletes in transactions of the host's own, inserts what may be inserted, and deletes while flows run. */
export async function useOwnTransaction(live: Live): Promise<string> {
  await rollBack(live);
  await insert(live);
  const deleted = await deleteBesideFlows(live);
  return `1 delete rolled back; 1 state inserted, 2 refused; ${deleted} deletes beside flows that recorded ${RECORDED} states`;
}

async function rollBack({ prefect, dataSource }: Live): Promise<void> {
  const [state] = await dataSource.manager.find(TaskRunState, { take: 1 });
  ok(state);
  const { id, taskRunId } = state;
  const before = await service.readTaskRunStates(dataSource.manager, taskRunId);
  const queryRunner = dataSource.createQueryRunner();
  await queryRunner.startTransaction();
  try {
    equal(await service.deleteTaskRunState(queryRunner.manager, id), true);
    equal(await service.readTaskRunState(queryRunner.manager, id), null);
    equal((await service.readTaskRunStates(queryRunner.manager, taskRunId)).length, before.length - 1);
    equal((await ask(prefect.url, `/task_run_states/${id}`)).status, 200);
  } finally {
    await queryRunner.rollbackTransaction();
    await queryRunner.release();
  }
  deepEqual(await service.readTaskRunStates(dataSource.manager, taskRunId), before);
}

/** A state needs a task run of Prefect's and an instant of its own. It changes the history alone. */
async function insert({ prefect, dataSource: { manager } }: Live): Promise<void> {
  const [existing] = await manager.find(TaskRunState, { take: 1 });
  ok(existing);
  const state = {
    taskRunId: existing.taskRunId,
    type: StateType.RUNNING,
    timestamp: new Date("2020-02-02T02:02:02.002Z"),
  };
  const readTaskRun = () => ask(prefect.url, `/task_runs/${existing.taskRunId}`);
  const { body: taskRun } = await readTaskRun();
  const inserted = manager.create(TaskRunState, state);
  await manager.insert(TaskRunState, inserted);
  const { body } = await ask(prefect.url, `/task_run_states/${inserted.id}`);
  const { id, type, name } = body as Record<string, unknown>;
  deepEqual({ id, type, name }, { id: inserted.id, type: "RUNNING", name: "Running" });
  deepEqual(stateOf((await readTaskRun()).body), stateOf(taskRun));

  const unknownRun = { ...state, taskRunId: "00000000-0000-4000-8000-000000000000" };
  await rejects(manager.insert(TaskRunState, manager.create(TaskRunState, unknownRun)), { code: "23503" });
  await rejects(manager.insert(TaskRunState, manager.create(TaskRunState, state)), { code: "23505" });
  equal(await service.deleteTaskRunState(manager, inserted.id), true);
}

const stateOf = (taskRun: unknown) => (taskRun as { state: object }).state;

/** What the flow `busy` records: 40 task runs are pending, running and completed. */
const RECORDED = 40 * 3;

async function deleteBesideFlows({ prefect, dataSource }: Live): Promise<number> {
  const { manager } = dataSource;
  const before = await manager.count(TaskRunState);
  const pending = await manager.find(TaskRunState, { where: { type: StateType.PENDING } });
  const old = pending.map(({ id }) => id);
  let deleted = 0;
  const deleteOne = async () => {
    const id = old.pop();
    if (id) equal(await dataSource.transaction((own) => service.deleteTaskRunState(own, id)), true);
    if (id) deleted++;
  };
  const isRecorded = async () => {
    await deleteOne();
    return (await manager.count(TaskRunState)) === before - deleted + RECORDED;
  };
  await Promise.all([prefect.python(join(__dirname, "flows.py"), "busy"), until(isRecorded, 60_000)]);
  return deleted;
}
