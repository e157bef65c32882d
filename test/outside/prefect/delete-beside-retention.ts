import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import type { EntityManager } from "typeorm";
import { pruneTaskRunStates, StateType, type TaskRunState } from "typeorm-task-run-state";

import { until } from "../../support/until";
import { ask, type Live, python, send, service } from "./live";
import { letRecord } from "./recorder";

/** What `retention.py` returns. */
interface Retention {
  enabled: string[];
  days: number;
}

/** Lets Prefect's retention delete old flow runs, while the host deletes states of theirs and afterwards. */
export async function deleteBesideRetention(live: Live): Promise<string> {
  const { manager } = live.dataSource;
  const lone = await recordLoneRun(live);
  const young = await recordFlowRun(live, "89 days");
  await deadlock(live);
  await deleteOneByOne(live);
  equal((await service.readTaskRunStates(manager, young)).length, 3);
  equal(await countArtifacts(manager, young), 2);
  const pruned = await pruneWhatRetentionLeaves(live, lone);
  return `2 flow runs of 91 days deleted, none of 89; 2 deletes in one transaction got 40P01, none that had its own; ${pruned} states of a task run without a flow run left to prune`;
}

/** Two deletes in one transaction: Prefect's retention has deleted one of the states, and waits for the other. */
async function deadlock(live: Live): Promise<void> {
  const taskRunId = await recordFlowRun(live, "91 days");
  const own = live.dataSource.createQueryRunner();
  await own.startTransaction();
  const { retention, held, gone } = await blockRetention(live, taskRunId, (id) =>
    service.deleteTaskRunState(own.manager, id),
  );
  const [{ deadlock_timeout: limit }] = await own.manager.query(
    "SELECT extract(epoch FROM current_setting('deadlock_timeout')::interval)::float AS deadlock_timeout",
  );
  await setTimeout(2 * limit * 1000); // Until Prefect's session has looked for a deadlock and found none.
  await rejects(service.deleteTaskRunState(own.manager, gone), { code: "40P01" });
  await own.rollbackTransaction();
  await own.release();
  deepEqual(await retention, { enabled: ["events"], days: 90 });
  deepEqual(await service.readTaskRunStates(live.dataSource.manager, taskRunId), []);
  equal(await countArtifacts(live.dataSource.manager, taskRunId), 0);

  const again = await live.dataSource.transaction(async (manager) => [
    await service.deleteTaskRunState(manager, held),
    await service.deleteTaskRunState(manager, gone),
  ]);
  deepEqual(again, [false, false]);
}

/** Each delete in a transaction of its own waits for the retention, and finds the state gone. */
async function deleteOneByOne(live: Live): Promise<void> {
  const { manager } = live.dataSource;
  const taskRunId = await recordFlowRun(live, "91 days");
  const other = live.dataSource.createQueryRunner();
  await other.startTransaction();
  const { retention, held, gone } = await blockRetention(live, taskRunId, (id) =>
    other.query("SELECT FROM task_run_state WHERE id = $1 FOR UPDATE", [id]),
  );
  const release = async () => {
    await until(async () => (await countWaiting(manager)) >= 3, 60_000);
    await other.commitTransaction();
    await other.release();
    await retention;
  };
  const deletes = [held, gone].map((id) => service.deleteTaskRunState(manager, id));
  const [, isDeleted] = await Promise.all([...deletes, release()]);
  equal(isDeleted, false);
  deepEqual(await service.readTaskRunStates(manager, taskRunId), []);
}

/**
 * Starts Prefect's retention when the middle one of three states is locked, and waits until the retention waits for it.
 * `gone` is a state that the retention has deleted by then, and not committed.
 */
async function blockRetention(
  live: Live,
  taskRunId: string,
  lock: (id: string) => Promise<unknown>,
): Promise<{ retention: Promise<Retention>; held: string; gone: string }> {
  const ids = (await service.readTaskRunStates(live.dataSource.manager, taskRunId)).map(({ id }) => id);
  const [, held = ""] = ids;
  await lock(held);
  const retention = python<Retention>(live, "retention");
  retention.catch(() => {}); // Whoever awaits it hears of it.
  await until(async () => (await countWaiting(live.dataSource.manager)) > 0, 60_000);
  const free: TaskRunState[] = await live.dataSource.query(
    "SELECT id FROM task_run_state WHERE task_run_id = $1 FOR UPDATE SKIP LOCKED",
    [taskRunId],
  );
  const gone = ids.find((id) => id !== held && !free.some((state) => state.id === id));
  ok(gone);
  return { retention, held, gone };
}

/** How many sessions in this database wait for another one. */
async function countWaiting(manager: EntityManager): Promise<number> {
  const waiting = await manager.query(
    `SELECT FROM pg_stat_activity
     WHERE datname = current_database() AND cardinality(pg_blocking_pids(pid)) > 0`,
  );
  return waiting.length;
}

/** The retention spares a task run without a flow run, however old. Its history goes by `pruneTaskRunStates`. */
async function pruneWhatRetentionLeaves(live: Live, lone: string): Promise<number> {
  const { manager } = live.dataSource;
  let pruned = 0;
  for await (const { states } of pruneTaskRunStates(manager, { before: new Date("2020-01-01") }))
    pruned += states;
  equal(pruned, 2);
  deepEqual(await service.readTaskRunStates(manager, lone), []);
  const { status, body } = await ask(live.prefect.url, `/task_runs/${lone}`);
  const { state, state_type } = body as Record<string, unknown>;
  deepEqual({ status, state, state_type }, { status: 200, state: null, state_type: "COMPLETED" });
  return pruned;
}

async function countArtifacts(manager: EntityManager, taskRunId: string): Promise<number> {
  const artifacts = await manager.query("SELECT FROM artifact WHERE task_run_id = $1", [taskRunId]);
  return artifacts.length;
}

/**
 * A flow run that ended so long ago, with one task run. Resolves to the id of that, which has three states, two of them
 * with results.
 */
async function recordFlowRun({ prefect: { url }, dataSource }: Live, age: string): Promise<string> {
  const flow = await send(url, "/flows/", { name: "retention" });
  const flowRun = await send(url, "/flow_runs/", { flow_id: flow.id });
  const run = { flow_run_id: flowRun.id, task_key: "retention", dynamic_key: "0" };
  const taskRun = await send(url, "/task_runs/", run);
  for (const type of ["RUNNING", "COMPLETED"]) {
    await send(url, `/task_runs/${taskRun.id}/set_state`, { state: { type, data: "a result" }, force: true });
  }
  await send(url, `/flow_runs/${flowRun.id}/set_state`, { state: { type: "COMPLETED" }, force: true });
  await dataSource.query("UPDATE flow_run SET end_time = now() - $2::interval WHERE id = $1", [
    flowRun.id,
    age,
  ]);
  return String(taskRun.id);
}

/** A task run of the year 2019, without a flow run. */
async function recordLoneRun(live: Live): Promise<string> {
  const run = randomUUID();
  for (const [index, type] of [StateType.PENDING, StateType.COMPLETED].entries()) {
    deepEqual(await letRecord(live, 1, type, [run], `2019-01-01T00:00:0${index}Z`), []);
  }
  return run;
}
