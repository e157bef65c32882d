import type { EntityManager, QueryRunner, ReplicationMode } from "typeorm";

/**
 * Does the work in the transaction that the manager takes part in: its own, or an ambient one. A library that opens ambient
 * transactions, such as typeorm-transactional, makes the data source return that transaction's manager as its own. Without
 * a transaction the work gets a query runner for itself, which is released in every outcome.
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
