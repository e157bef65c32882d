import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { Client } from "pg";
import {
  DataSource,
  type DataSourceOptions,
  type EntityManager,
  type MigrationInterface,
  QueryFailedError,
  type QueryRunner,
} from "typeorm";
import {
  migrations,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";
import { migrate } from "../../examples/host/migrate";
import { check } from "../../scripts/check";
import { versionOf } from "../../scripts/daemon";
import { HOW_TO_INSTALL_PGBOUNCER, startPgBouncer } from "../../scripts/pgbouncer";
import { startPostgres } from "../../scripts/postgres";
import { runOnServer } from "../support/database";

/** Fewer than there are callers, so that they have to share. An instance that migrates takes two. */
const SERVER_CONNECTIONS = 4;
const CALLERS = 16;
const CALLS_OF_EACH = 25;
const INSTANCES = 16;
const ROUNDS = 5;
const LIMIT_MS = 20_000;

const service = new TaskRunStateService();

/** A migration of the host's that ends only when every snapshot that is older is gone. */
class IndexName1795400000000 implements MigrationInterface {
  readonly transaction = false;
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("CREATE INDEX CONCURRENTLY ix_name ON app.task_run_state (name)");
  }
  async down(): Promise<void> {}
}

/** Uses the module through PgBouncer in transaction mode: each transaction gets whichever server connection is free. */
async function main(): Promise<void> {
  const version = versionOf("pgbouncer");
  if (!version) return console.log(`Pooler: did not run. ${HOW_TO_INSTALL_PGBOUNCER}`);
  console.log(`${version}, transaction mode, ${SERVER_CONNECTIONS} connections to the server`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const knowsPrepared = Number(version.match(/ 1\.(\d+)/)?.[1]) >= 21;
  const server = await startPostgres();
  const pgBouncer = await startPgBouncer(server.url, SERVER_CONNECTIONS);
  const observer = await new DataSource({ type: "postgres", url: server.url }).initialize();

  const createDatabase = async (name: string) => {
    await runOnServer(server.url, `CREATE DATABASE ${name}`);
    await runOnServer(new URL(name, server.url).href, "CREATE SCHEMA app");
    return new URL(name, pgBouncer.url).href;
  };
  const checkClean = (name: string, run: () => Promise<unknown>) =>
    check(name, async () => {
      await run();
      deepEqual(await leftBehind(observer), []);
    });

  const url = await createDatabase("one");
  const instance = createInstance(url);
  await instance.initialize();
  await checkClean("One instance migrates", () => startInstance(instance));
  await checkClean("A rollback undoes a delete", () => rollBack(instance));
  await checkClean(`${CALLERS} callers at once get their own states, alone and in transactions`, () =>
    callAtOnce([instance]),
  );
  await instance.destroy();
  await checkClean(
    `${CALLERS} callers of two programs that prepare do too; a transaction may be refused`,
    () => callPrepared(instance.options),
  );
  await check(
    "After DISCARD ALL, prepared calls are answered; from PgBouncer 1.21 on, after two that fail",
    () => callAfterDiscardAll(instance.options, knowsPrepared),
  );
  if (knowsPrepared)
    await check("After a column's type was changed, each new connection is refused until RECONNECT", () =>
      callAfterAlter(url, new URL("pgbouncer", url).href),
    );
  for (let round = 1; round <= ROUNDS; round++) {
    const url = await createDatabase(`round_${round}`);
    await checkClean(`${INSTANCES} instances start at once, round ${round}`, () => startAtOnce(url));
  }

  await observer.destroy();
  await pgBouncer.stop();
  await server.stop();
}

function createInstance(url: string): DataSource {
  return new DataSource({
    type: "postgres",
    url,
    schema: "app",
    entities: [TaskRunState],
    migrations: [...migrations, IndexName1795400000000],
    migrationsTransactionMode: "each",
    extra: { max: CALLERS },
  });
}

/** Migrates, and compares what is there then with what one migration makes. */
async function startInstance(dataSource: DataSource): Promise<void> {
  await migrate(dataSource, LIMIT_MS);
  deepEqual(await dataSource.query("SELECT name FROM app.migrations ORDER BY id"), [
    { name: "CreateTaskRunState1795305600000" },
    { name: "IndexName1795400000000" },
  ]);
  deepEqual(
    await dataSource.query("SELECT indisvalid FROM pg_index WHERE indexrelid = 'app.ix_name'::regclass"),
    [{ indisvalid: true }],
  );
}

async function rollBack({ manager }: DataSource): Promise<void> {
  const { id } = await recordTaskRunState(manager, { taskRunId: randomUUID(), type: "RUNNING" });
  const rollback = new Error("Roll back");
  const transaction = manager.transaction(async (manager) => {
    equal(await service.deleteTaskRunState(manager, id), true);
    throw rollback;
  });
  equal(await transaction.catch((error) => error), rollback);
  equal((await service.readTaskRunState(manager, id))?.id, id);
}

/** The callers share the data sources. Returns how many transactions were refused, each with a code of these. */
async function callAtOnce(dataSources: DataSource[], ...codes: string[]): Promise<number> {
  let refused = 0;
  const refuse = (error: unknown) => {
    if (!(error instanceof QueryFailedError && codes.includes(error.driverError.code))) throw error;
    refused++;
  };
  const call = async ({ manager }: DataSource) => {
    for (let call = 0; call < CALLS_OF_EACH; call++) {
      await useModule(manager);
      await manager.transaction(useModule).catch(refuse);
    }
  };
  const callers = Array.from({ length: CALLERS / dataSources.length }, () => dataSources.map(call));
  await Promise.all(callers.flat());
  return refused;
}

/** A PgBouncer that knows nothing of prepared statements has one client run into those of another. */
async function callPrepared(options: DataSourceOptions): Promise<void> {
  const extra = { max: CALLERS / 2, Client: withPreparedStatements(Client) };
  const programs = [0, 1].map(() => new DataSource({ ...options, extra } as DataSourceOptions));
  await Promise.all(programs.map((program) => program.initialize()));
  const refused = await callAtOnce(programs, "26000", "42P05");
  ok(refused < (CALLERS * CALLS_OF_EACH) / 2, `${refused} transactions were refused.`);
  await Promise.all(programs.map((program) => program.destroy()));
}

/** Records a history, reads it in every way, and deletes a state. */
async function useModule(manager: EntityManager): Promise<void> {
  const taskRunId = randomUUID();
  const { id } = await recordTaskRunState(manager, { taskRunId, type: "PENDING" });
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "RUNNING" }]);
  const latest = await readLatestTaskRunStates(manager, [taskRunId]);
  const read = await service.readTaskRunState(manager, id);
  const listed = await service.readTaskRunStates(manager, taskRunId);
  const deleted = await service.deleteTaskRunState(manager, id);
  const gone = await service.readTaskRunState(manager, id);
  deepEqual(
    { latest: latest.get(taskRunId), listed, deleted, gone },
    { latest: last, listed: [read, last], deleted: true, gone: null },
  );
  equal(read?.taskRunId, taskRunId);
}

/** A PgBouncer that knows of prepared statements believes that the server still has them, and closes the connection. */
async function callAfterDiscardAll(options: DataSourceOptions, fails: boolean): Promise<void> {
  const extra = { max: 1, Client: withPreparedStatements(Client) };
  const dataSource = await new DataSource({ ...options, extra } as DataSourceOptions).initialize();
  const read = () =>
    service.readTaskRunState(dataSource.manager, randomUUID()).then(
      () => "answered",
      (error) => `${error.name} ${error.driverError.code ?? error.message}`,
    );
  equal(await read(), "answered");
  await dataSource.query("DISCARD ALL");
  const outcomes = [await read(), await read(), await read()];
  await dataSource.destroy();
  const failures = ["QueryFailedError 08P01", "QueryFailedError Connection terminated unexpectedly"];
  deepEqual(outcomes, fails ? [...failures, "answered"] : Array(3).fill("answered"));
}

/** The statement is prepared on PgBouncer's connections to the server, which outlive those of the clients. */
async function callAfterAlter(url: string, consoleUrl: string): Promise<void> {
  const readOnNewConnection = async () => {
    const { options } = createInstance(url);
    const extra = { max: 1, Client: withPreparedStatements(Client) };
    const dataSource = await new DataSource({ ...options, extra } as DataSourceOptions).initialize();
    const read = dataSource.transaction((manager) => service.readTaskRunState(manager, randomUUID()));
    const outcome = await read.catch((error) => error.driverError.code);
    await dataSource.destroy();
    return outcome;
  };
  equal(await readOnNewConnection(), null);
  await runOnServer(url, "ALTER TABLE app.task_run_state ALTER COLUMN name TYPE text");
  equal(await readOnNewConnection(), "0A000");
  equal(await readOnNewConnection(), "0A000");
  await runOnServer(consoleUrl, "RECONNECT");
  equal(await readOnNewConnection(), null);
}

async function startAtOnce(url: string): Promise<void> {
  const instances = Array.from({ length: INSTANCES }, () => createInstance(url));
  await Promise.all(instances.map((instance) => instance.initialize()));
  try {
    const starts = await Promise.allSettled(instances.map(startInstance));
    const failures = starts.flatMap((start) => (start.status === "rejected" ? [String(start.reason)] : []));
    deepEqual(failures, []);
  } finally {
    await Promise.all(instances.map((instance) => instance.destroy()));
  }
}

/** Advisory locks, and sessions with an open transaction. Nobody should have any when a check has ended. */
function leftBehind(observer: DataSource): Promise<unknown[]> {
  return observer.query(
    `SELECT 'lock ' || objid AS what FROM pg_locks WHERE locktype = 'advisory'
     UNION ALL
     SELECT state FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'`,
  );
}

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
