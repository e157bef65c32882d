import { deepEqual, equal, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import pg from "pg";
import { DataSource, type EntityManager } from "typeorm";
import {
  pruneTaskRunStates,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";

const service = new TaskRunStateService();

function connect(extra: object): Promise<DataSource> {
  const url = process.env.DATABASE_URL ?? "";
  return new DataSource({ type: "postgres", url, entities: [TaskRunState], extra }).initialize();
}

/** Records a history, reads it in every way, and deletes its first state. */
async function useModule(manager: EntityManager): Promise<void> {
  const taskRunId = randomUUID();
  const first = await recordTaskRunState(manager, { taskRunId, type: "PENDING", stateDetails: { retry: 1 } });
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "COMPLETED", data: ["é"] }]);
  const reads = [
    readLatestTaskRunStates(manager, [taskRunId]),
    service.readTaskRunState(manager, first.id),
    service.readTaskRunStates(manager, taskRunId),
  ];
  deepEqual(await Promise.all(reads), [new Map([[taskRunId, last]]), first, [first, last]]);
  equal(await service.deleteTaskRunState(manager, first.id), true);
  await rejects(service.readTaskRunState(manager, "7"), { code: "ERR_INVALID_UUID" });
}

for (const pipeline of [false, true]) {
  for (const prepared of [false, true]) {
    const Client = prepared ? withPreparedStatements(pg.Client) : pg.Client;
    const dataSource = await connect({ max: 1, pipeline, Client });
    await useModule(dataSource.manager);
    await dataSource.transaction(useModule);
    const statements = await dataSource.query("SELECT FROM pg_prepared_statements");
    equal(statements.length, prepared ? 6 : 0);
    await dataSource.destroy();
  }
}

const dataSource = await connect({});
const { taskRunId } = await recordTaskRunState(dataSource.manager, {
  taskRunId: randomUUID(),
  type: "PENDING",
});
for await (const _ of pruneTaskRunStates(dataSource.manager, { before: new Date(Date.now() + 60_000) }));
const left = await dataSource.manager.find(TaskRunState);
deepEqual(left, await service.readTaskRunStates(dataSource.manager, taskRunId));
equal(left.length, 1);
await dataSource.destroy();
