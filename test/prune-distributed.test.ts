import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { pruneTaskRunStates, StateType } from "typeorm-task-run-state";

import { pruneDistributed } from "../examples/engines/prune-distributed";
import { collect } from "./support/collect";
import { useDatabase } from "./support/database";
import { fillHistories } from "./support/fill";
import { record } from "./support/record";

const database = useDatabase();
const BEFORE = new Date("2025-01-01T01:40:00Z");

async function storedIds(manager: EntityManager): Promise<string[]> {
  const rows = await manager.query("SELECT id FROM task_run_state ORDER BY id");
  return rows.map(({ id }: { id: string }) => id);
}

test("the example for distributed tables deletes what pruneTaskRunStates deletes, so many task runs a call", async () => {
  const dataSource = await database.connect();
  const { manager } = dataSource;
  await fillHistories(manager, { runs: 200, states: 5 });
  // Of states with the same time, the one with the higher id is the latest.
  const timestamp = new Date(BEFORE.getTime() - 1);
  for (const types of [
    [StateType.RUNNING, StateType.FAILED],
    [StateType.FAILED, StateType.RUNNING],
  ]) {
    const taskRunId = randomUUID();
    for (const type of types) await record(manager, { taskRunId, type, timestamp });
  }

  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  await collect(pruneTaskRunStates(runner.manager, { before: BEFORE }));
  const expected = await storedIds(runner.manager);
  await runner.rollbackTransaction();
  await runner.release();

  expect(await pruneDistributed(manager, BEFORE, 60)).toBeGreaterThanOrEqual(297);
  expect(await pruneDistributed(manager, BEFORE)).toBeGreaterThan(0);
  expect(await pruneDistributed(manager, BEFORE)).toBe(0);
  expect(await storedIds(manager)).toEqual(expected);
  expect(expected).toHaveLength(1004 - 450 - 2);
});
