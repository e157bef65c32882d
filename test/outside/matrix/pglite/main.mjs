import { deepEqual, equal, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { PGliteDriver } from "typeorm-pglite";
import {
  migrations,
  pruneTaskRunStates,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

const service = new TaskRunStateService();

const connect = () =>
  new DataSource({
    type: "postgres",
    driver: new PGliteDriver().driver,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  }).initialize();

async function useModule(manager) {
  const taskRunId = randomUUID();
  const first = await recordTaskRunState(manager, { taskRunId, type: "PENDING", stateDetails: { retry: 1 } });
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "COMPLETED", data: ["é"] }]);
  deepEqual(await readLatestTaskRunStates(manager, [taskRunId]), new Map([[taskRunId, last]]));
  deepEqual(await service.readTaskRunState(manager, first.id), first);
  deepEqual(await service.readTaskRunStates(manager, taskRunId), [first, last]);
  deepEqual(
    await service.readTaskRunStates(manager, taskRunId),
    await manager.findBy(TaskRunState, { taskRunId }),
  );
  equal(await service.deleteTaskRunState(manager, first.id), true);
}

const dataSource = await connect();
const { manager } = dataSource;
await useModule(manager);
await dataSource.transaction(useModule);
for await (const _ of pruneTaskRunStates(manager, { before: new Date(Date.now() + 60_000) }));
equal(await manager.count(TaskRunState), 0);

// Two transactions share the session: the rollback of one undoes what the other has done.
const taskRunId = randomUUID();
const [one, two] = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
await one.startTransaction();
await recordTaskRunState(one.manager, { taskRunId, type: "RUNNING" });
await two.startTransaction();
equal((await service.readTaskRunStates(two.manager, taskRunId)).length, 1);
await two.rollbackTransaction();
await one.commitTransaction();
deepEqual(await service.readTaskRunStates(manager, taskRunId), []);

// Two data sources share the database, and the end of one of them is its end.
const other = await connect();
const { id } = await recordTaskRunState(other.manager, { taskRunId, type: "RUNNING" });
equal((await service.readTaskRunState(manager, id))?.id, id);
await other.destroy();
await rejects(service.readTaskRunState(manager, id), /relation "task_run_state" does not exist/);
await dataSource.destroy();
