import { once } from "node:events";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

const MIGRATIONS_LOCK = 1795305600000;

/** Starts as a host does, when told so on standard input, and prints what came of it. */
async function main(): Promise<void> {
  const locked = process.argv[2] === "locked";
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
    migrations,
    migrationsRun: !locked,
  });
  console.log("ready");
  await once(process.stdin, "data");
  try {
    await dataSource.initialize();
    if (locked) await migrate(dataSource);
    console.log("started");
  } catch (error) {
    console.log((error as Error).message);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    process.stdin.destroy();
  }
}

/** The documented way: one host at a time. The lock is the session's, so it has a query runner of its own. */
async function migrate(dataSource: DataSource): Promise<void> {
  const lock = dataSource.createQueryRunner();
  await lock.query("SELECT pg_advisory_lock($1)", [MIGRATIONS_LOCK]);
  try {
    await dataSource.runMigrations();
  } finally {
    await lock.query("SELECT pg_advisory_unlock($1)", [MIGRATIONS_LOCK]);
    await lock.release();
  }
}

main();
