import type { EntityManager, QueryRunner, ReplicationMode } from "typeorm";

/**
 * Does the work through the query runner of the transaction that the manager takes part in: the manager's own, or that of
 * an ambient transaction, such as typeorm-transactional opens, which the data source's own manager tells of. Outside of
 * any transaction the work gets a query runner of its own, which is released whatever comes of it.
 */
export async function withQueryRunner<T>(
  manager: EntityManager,
  mode: ReplicationMode,
  work: (queryRunner: QueryRunner) => Promise<T>,
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
