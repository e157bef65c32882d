import { setTimeout } from "node:timers/promises";
import type { DataSource } from "typeorm";

/** Any number that nothing else locks in this database. In pg_locks it is the `objid` of the instance that migrates. */
const MIGRATIONS_LOCK = 1795219200;

/**
 * Runs the pending migrations, one instance of the application at a time. The others wait for their turn, up to the limit.
 *
 * A transaction holds the lock, and not a session: behind a pooler, each transaction may get another session. It needs a
 * connection of its own, and it is idle while the migrations run. PostgreSQL's `idle_in_transaction_session_timeout` is
 * switched off in it. Where you set `transaction_timeout`, or PgBouncer's `idle_transaction_timeout`, allow enough time.
 *
 * CREATE INDEX CONCURRENTLY in a migration would wait for any snapshot that is kept here. So those that wait ask again and
 * again, the isolation level is READ COMMITTED, and the SELECT has no parameters.
 */
export async function migrate(dataSource: DataSource, limitMs = 600_000): Promise<void> {
  const lock = dataSource.createQueryRunner();
  const tryLock = async () => {
    await lock.startTransaction("READ COMMITTED");
    const [{ granted }] = await lock.query(`SELECT pg_try_advisory_xact_lock(${MIGRATIONS_LOCK}) AS granted`);
    if (!granted) await lock.rollbackTransaction();
    return granted;
  };
  try {
    for (let waitedMs = 0; !(await tryLock()); waitedMs += 100) {
      if (waitedMs >= limitMs) {
        throw new Error(`Gave up after ${limitMs / 1000} s: another instance still runs the migrations.`);
      }
      if (waitedMs === 3000) console.log("Waiting for another instance, which is running the migrations.");
      await setTimeout(100);
    }
    await lock.query("SET LOCAL idle_in_transaction_session_timeout = 0");
    await dataSource.runMigrations();
  } finally {
    if (lock.isTransactionActive && !lock.isReleased) await lock.rollbackTransaction();
    await lock.release();
  }
}
