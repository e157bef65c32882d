import type { Pool } from "pg";
import type { DataSource } from "typeorm";

/** The pool of connections that TypeORM keeps for a PostgreSQL data source. */
export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

/** How many connections are lent out and how many callers wait for one: neither when the pool is whole. */
export function demandOn(dataSource: DataSource): { lent: number; waiting: number } {
  const { totalCount, idleCount, waitingCount } = poolOf(dataSource);
  return { lent: totalCount - idleCount, waiting: waitingCount };
}
