import type { DataSource, EntityManager } from "typeorm";

import { until } from "./until";

/** Does the work while a transaction of the data source, the holder, keeps every other session from the table. */
export function whileTableIsLocked<T>(
  dataSource: DataSource,
  work: (holder: EntityManager) => Promise<T>,
): Promise<T> {
  return dataSource.transaction(async (holder) => {
    await holder.query("LOCK TABLE task_run_state");
    return work(holder);
  });
}

/** The process ids of the sessions that wait for the holder's transaction, as soon as there are so many. */
export function sessionsWaitingFor(holder: EntityManager, count = 1): Promise<number[]> {
  return until(async () => {
    const sessions: { pid: number }[] = await holder.query(
      "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))",
    );
    return sessions.length === count ? sessions.map(({ pid }) => pid) : undefined;
  });
}
