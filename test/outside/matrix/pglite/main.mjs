import { deepEqual, equal, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { PGliteDriver } from "typeorm-pglite";
import {
  migrations,
  pruneTaskRunStates,
  recordTaskRunState,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";
import { useModule } from "./use-module.cjs";

const service = new TaskRunStateService();

const connect = () =>
  new DataSource({
    type: "postgres",
    driver: new PGliteDriver().driver,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  }).initialize();

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
