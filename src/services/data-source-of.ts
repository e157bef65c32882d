import type { DataSource, EntityManager } from "typeorm";

/** `connection` is deprecated in TypeORM 1, and the one name that 0.3 has for the data source. */
export function dataSourceOf(manager: EntityManager): DataSource {
  return manager.connection;
}
