import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { recordTaskRunState, recordTaskRunStates, StateType } from "typeorm-task-run-state";

import { ask, type Live, service } from "./live";
import { letRecord } from "./recorder";

/** How many states of one task run the host records by one call. */
const AT_ONCE = 50;

/**
 * Lets a host record a state just before the consumer of Prefect's TaskRunRecorder does: at the instant of Prefect's
 * state, which makes Prefect lose its own, and at one that the database chose, which does not.
 */
export async function recordBesideRecorder(live: Live): Promise<string> {
  deepEqual(await loseStates(live, 1), [StateType.PENDING, StateType.RUNNING, StateType.RUNNING]);
  deepEqual(await loseStates(live, 3), [StateType.PENDING, StateType.PENDING, StateType.PENDING]);
  await loseNone(live);
  await recordAtOnce(live);
  return `at Prefect's instant 1 of its states was lost, with batches of 3 all 3; without a time 0 of 3, and ${2 * AT_ONCE + 1} states of one task run went in by 3 calls in one transaction`;
}

/** Resolves to the states in which Prefect takes three task runs to be, the first of which the host recorded too. */
async function loseStates(live: Live, batchSize: number): Promise<unknown[]> {
  const runs = await recordPending(live);
  const [taskRunId = ""] = runs;
  const timestamp = new Date().toISOString();
  await recordTaskRunState(live.dataSource.manager, { taskRunId, type: StateType.RUNNING, timestamp });
  const drops = await letRecord(live, batchSize, StateType.RUNNING, runs, timestamp);
  for (const drop of drops) ok(drop.endsWith("after 6 failed attempts"), drop);
  const types = await Promise.all(runs.map((run) => typeOf(live, run)));
  equal(drops.length, types.filter((type) => type === StateType.PENDING).length);
  return types;
}

async function loseNone(live: Live): Promise<void> {
  const runs = await recordPending(live);
  const [taskRunId = ""] = runs;
  const { manager } = live.dataSource;
  const { id, timestamp } = await recordTaskRunState(manager, { taskRunId, type: StateType.RUNNING });
  const later = new Date(timestamp.getTime() + 1).toISOString();
  deepEqual(await letRecord(live, runs.length, StateType.COMPLETED, runs, later), []);
  for (const run of runs) equal(await typeOf(live, run), StateType.COMPLETED);
  const states = await service.readTaskRunStates(manager, taskRunId);
  deepEqual(
    states.map(({ type }) => type),
    [StateType.PENDING, StateType.RUNNING, StateType.COMPLETED],
  );
  equal(states[1]?.id, id);
}

/** Prefect's table refuses two states of a task run at one instant, so each needs one of its own. */
async function recordAtOnce(live: Live): Promise<void> {
  const [taskRunId = ""] = await recordPending(live);
  const given = Array(AT_ONCE).fill({ taskRunId, type: StateType.RUNNING });
  const recorded = await live.dataSource.transaction(async (manager) => [
    ...(await recordTaskRunStates(manager, given)),
    ...(await recordTaskRunStates(manager, given)),
    await recordTaskRunState(manager, { taskRunId, type: StateType.COMPLETED }),
  ]);
  const [, ...listed] = await service.readTaskRunStates(live.dataSource.manager, taskRunId);
  deepEqual(
    listed.map(({ id }) => id),
    recorded.map(({ id }) => id),
  );
}

/** Three task runs without a flow run. */
async function recordPending(live: Live): Promise<string[]> {
  const runs = [randomUUID(), randomUUID(), randomUUID()];
  const timestamp = new Date(Date.now() - 1000).toISOString();
  deepEqual(await letRecord(live, runs.length, StateType.PENDING, runs, timestamp), []);
  return runs;
}

async function typeOf({ prefect }: Live, taskRunId: string): Promise<unknown> {
  const { body } = await ask(prefect.url, `/task_runs/${taskRunId}`);
  return (body as { state_type: unknown }).state_type;
}
