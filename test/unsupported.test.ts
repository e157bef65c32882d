import { setTimeout } from "node:timers/promises";
import { pruneTaskRunStates, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { collect } from "./support/collect";
import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { record } from "./support/record";
import { until } from "./support/until";

const database = useDatabase();
const service = new TaskRunStateService();
let others: TestDataSource;

beforeAll(async () => {
  others = await database.connect();
});
beforeEach(() => others.query("DELETE FROM task_run_state"));

/** Lets a transaction time out, then records a state outside of it, and closes the pool. */
async function recordAfterTimeout(extra: object): Promise<{ failure: unknown; isKept: boolean }> {
  const host = await database.connect({ poolSize: 1, extra });
  const failure = await failureOf(
    host.transaction(async (manager) => {
      await record(manager);
      await manager.query("SELECT pg_sleep(1)");
    }),
  );
  await setTimeout(1500);
  const { id } = await record(host.manager);
  expect((await service.readTaskRunState(host.manager, id))?.id).toBe(id);
  await host.destroy();
  return { failure, isKept: (await service.readTaskRunState(others.manager, id)) !== null };
}

test("after `query_timeout` a transaction stays open in the pool, and what is recorded later is lost", async () => {
  // In a pipeline the ROLLBACK stands behind the query already.
  const { failure, isKept } = await recordAfterTimeout({ query_timeout: 200, pipeline: false });
  expect(String(failure)).toBe("QueryFailedError: Query read timeout");
  expect(isKept).toBe(false);
});

test("after `statement_timeout` the transaction is undone, and what is recorded later stays", async () => {
  const { failure, isKept } = await recordAfterTimeout({ statement_timeout: 200 });
  expect(await sqlStateOf(Promise.reject(failure))).toBe("57014");
  expect(isKept).toBe(true);
  expect(await others.manager.count(TaskRunState)).toBe(1);
});

test("a step of retention that fails by `query_timeout` goes on in the server, and deletes", async () => {
  const { id } = await record(others.manager, { type: StateType.COMPLETED, timestamp: new Date(0) });
  const host = await database.connect({ extra: { query_timeout: 200 } });
  await others.transaction(async (holder) => {
    await holder.update(TaskRunState, id, { message: "held" });
    const steps = collect(pruneTaskRunStates(host.manager, { before: new Date() }));
    await expect(steps).rejects.toThrow("Query read timeout");
  });
  await until(async () => (await others.manager.count(TaskRunState)) === 0);
});

test("with `binary`, TypeORM reads ids that are none, and so does the service", async () => {
  const { id, taskRunId } = await record(others.manager);
  const host = await database.connect({ extra: { binary: true } });
  const found = await host.manager.findOneByOrFail(TaskRunState, { id });
  expect(found.id).not.toBe(id);
  const [listed] = await service.readTaskRunStates(host.manager, taskRunId);
  expect(listed?.id).toBe(found.id);
});
