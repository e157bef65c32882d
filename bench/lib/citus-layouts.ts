import { randomUUID } from "node:crypto";
import type { DataSource, MigrationInterface } from "typeorm";

import {
  DistributeById1795500000001,
  DistributeByTaskRun1795500000002,
  MoveToOneWorker1795500000003,
} from "../../examples/engines/distribute";

/** A way to lay out the table on a Citus cluster. */
export interface CitusLayout {
  name: string;
  /** The host's own migration, which comes after the package's. */
  migration?: new () => MigrationInterface;
  /** Citus keeps the table's schema on one worker. */
  schemaBased?: boolean;
  /** How `citus_tables` shows the table. It does not show a plain one. */
  placement?: { type: "distributed" | "schema"; column: string };
  /** The rows lie in several shards. */
  isSplit?: boolean;
  /** The key is not the entity's. */
  hasOtherKey?: boolean;
}

export const PLAIN: CitusLayout = { name: "plain table" };
export const BY_ID: CitusLayout = {
  name: "distributed by id",
  migration: DistributeById1795500000001,
  placement: { type: "distributed", column: "id" },
  isSplit: true,
};
export const BY_TASK_RUN: CitusLayout = {
  name: "distributed by task_run_id",
  migration: DistributeByTaskRun1795500000002,
  placement: { type: "distributed", column: "task_run_id" },
  isSplit: true,
  hasOtherKey: true,
};
export const SINGLE_SHARD: CitusLayout = {
  name: "single shard",
  migration: MoveToOneWorker1795500000003,
  placement: { type: "distributed", column: "<none>" },
};
export const SCHEMA_FOR_EACH_TENANT: CitusLayout = {
  name: "schema for each tenant",
  schemaBased: true,
  placement: { type: "schema", column: "<none>" },
};

/** Runs the work in a new schema for a table in this layout. The schema is dropped afterwards. */
export async function withSchemaOf<T>(
  coordinator: DataSource,
  { schemaBased = false }: CitusLayout,
  work: (schema: string) => Promise<T>,
): Promise<T> {
  const schema = `task_run_state_${randomUUID().slice(0, 8)}`;
  await coordinator.transaction(async (manager) => {
    if (schemaBased) await manager.query("SET LOCAL citus.enable_schema_based_sharding TO on");
    await manager.query(`CREATE SCHEMA ${schema}`);
  });
  try {
    return await work(schema);
  } finally {
    await coordinator.query(`DROP SCHEMA ${schema} CASCADE`);
  }
}
