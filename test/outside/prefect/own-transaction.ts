import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { join } from "node:path";
import { Not } from "typeorm";
import { recordTaskRunState, StateType, TaskRunState } from "typeorm-task-run-state";

import { until } from "../../support/until";
import { ask, type Live, service } from "./live";

/** Deletes in transactions of the host's own, records what may be recorded, and works while flows run. */
export async function useOwnTransaction(live: Live): Promise<string> {
  await rollBack(live);
  await record(live);
  const { deleted, added } = await workBesideFlows(live);
  return `1 delete rolled back; 1 state recorded, 2 refused; ${deleted} deletes and ${added} new states beside flows that recorded ${RECORDED}`;
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
async function record({ prefect, dataSource: { manager } }: Live): Promise<void> {
  const [existing] = await manager.find(TaskRunState, { take: 1 });
  ok(existing);
  const state = { taskRunId: existing.taskRunId, type: StateType.RUNNING };
  const readTaskRun = () => ask(prefect.url, `/task_runs/${existing.taskRunId}`);
  const { body: taskRun } = await readTaskRun();
  const recorded = await recordTaskRunState(manager, state);
  deepEqual(await service.readTaskRunState(manager, recorded.id), recorded);
  const { body } = await ask(prefect.url, `/task_run_states/${recorded.id}`);
  const { id, type, name } = body as Record<string, unknown>;
  deepEqual({ id, type, name }, { id: recorded.id, type: "RUNNING", name: "Running" });
  deepEqual(stateOf((await readTaskRun()).body), stateOf(taskRun));

  const unknownRun = { ...state, taskRunId: "00000000-0000-4000-8000-000000000000" };
  await rejects(recordTaskRunState(manager, unknownRun), { code: "23503" });
  const sameInstant = { ...state, timestamp: recorded.timestamp.toISOString() };
  await rejects(recordTaskRunState(manager, sameInstant), { code: "23505" });
  equal(await service.deleteTaskRunState(manager, recorded.id), true);
}

const stateOf = (taskRun: unknown) => (taskRun as { state: object }).state;

/** What the flow `busy` records: 40 task runs are pending, running and completed. */
const RECORDED = 40 * 3;

const SEEN = "Seen by the host";

/** While Prefect records these, the host deletes older states and records others of the same task runs. */
async function workBesideFlows({ prefect, dataSource }: Live): Promise<{ deleted: number; added: number }> {
  const { manager } = dataSource;
  const countOfPrefect = () => manager.count(TaskRunState, { where: { name: Not(SEEN) } });
  const before = await countOfPrefect();
  const pending = await manager.find(TaskRunState, { where: { type: StateType.PENDING } });
  const old = pending.map(({ id }) => id);
  let deleted = 0;
  const deleteOne = async () => {
    const id = old.pop();
    if (id) equal(await dataSource.transaction((own) => service.deleteTaskRunState(own, id)), true);
    if (id) deleted++;
  };
  const runs = new Set<string>();
  const addOne = async () => {
    const [{ id: taskRunId }] = await manager.query("SELECT id FROM task_run ORDER BY created DESC LIMIT 1");
    if (runs.has(taskRunId)) return;
    await recordTaskRunState(manager, { taskRunId, type: StateType.RUNNING, name: SEEN });
    runs.add(taskRunId);
  };
  const isRecorded = async () => {
    await Promise.all([deleteOne(), addOne()]);
    return (await countOfPrefect()) === before - deleted + RECORDED;
  };
  await Promise.all([prefect.python(join(__dirname, "flows.py"), "busy"), until(isRecorded, 60_000)]);
  ok(runs.size > 1);
  const [{ unfinished }] = await manager.query(
    "SELECT count(*)::int AS unfinished FROM task_run WHERE task_key LIKE 'plain-%' AND state_type <> 'COMPLETED'",
  );
  equal(unfinished, 0);
  return { deleted, added: runs.size };
}
