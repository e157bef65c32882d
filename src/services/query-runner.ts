import type { EntityManager, QueryRunner, ReplicationMode } from "typeorm";

/**
 * Does the work in the transaction that the manager takes part in: its own, or an ambient one, whose manager a library such
 * as typeorm-transactional makes the data source's own. Without a transaction the work gets a query runner for itself, on
 * the primary unless told otherwise, which is released in every outcome.
 */
export async function withQueryRunner<T>(
  manager: EntityManager,
  work: (queryRunner: QueryRunner) => Promise<T>,
  mode?: ReplicationMode,
): Promise<T> {
  const { connection: dataSource } = manager;
  const current = manager.queryRunner ?? dataSource.manager.queryRunner;
  if (current) return work(current);
  const own = dataSource.createQueryRunner(mode);
  try {
    return await work(own);
  } finally {
    await own.release();
  }
}
