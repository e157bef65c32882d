import { setTimeout } from "node:timers/promises";
import type { DataSource } from "typeorm";

/** Any number that nothing else locks in this database. */
const MIGRATIONS_LOCK = 1795219200000;

/**
 * Runs the pending migrations, one instance of the application at a time. TypeORM takes no lock of its own: of
 * several instances that start at once, all but one would fail with "already exists".
 *
 * It takes two connections of the pool, and one of them holds the lock. An instance that has to wait asks again and
 * again: if it waited inside one statement, a CREATE INDEX CONCURRENTLY of another instance could not end.
 */
export async function migrate(dataSource: DataSource): Promise<void> {
  const lock = dataSource.createQueryRunner();
  const tryLock = async () => {
    const [{ acquired }] = await lock.query("SELECT pg_try_advisory_lock($1) AS acquired", [MIGRATIONS_LOCK]);
    return acquired;
  };
  try {
    while (!(await tryLock())) await setTimeout(100);
    try {
      await dataSource.runMigrations();
    } finally {
      await lock.query("SELECT pg_advisory_unlock($1)", [MIGRATIONS_LOCK]);
    }
  } finally {
    await lock.release();
  }
}
