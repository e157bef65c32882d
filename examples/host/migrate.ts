import type { DataSource } from "typeorm";

/** Any number that nothing else locks in this database. */
const MIGRATIONS_LOCK = 1795219200000;

/**
 * Runs the pending migrations, one instance of the application at a time. TypeORM takes no lock of its own: of
 * several instances that start at once, all but one would fail with "already exists".
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const lock = dataSource.createQueryRunner();
  await lock.query("SELECT pg_advisory_lock($1)", [MIGRATIONS_LOCK]);
  try {
    await dataSource.runMigrations();
  } finally {
    await lock.query("SELECT pg_advisory_unlock($1)", [MIGRATIONS_LOCK]);
    await lock.release();
  }
}
