import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { DataSource, type MigrationInterface } from "typeorm";
import { migrations, TaskRunState, withPreparedStatements } from "typeorm-task-run-state";

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

export interface SessionOptions {
  /** Of the server, as in `-c name=value`. */
  settings?: string;
  /** The package prepares its statements. */
  prepared?: boolean;
}

/** Runs the work on the table in this layout, in a new schema. The schema is dropped afterwards. */
export async function withLayout<T>(
  coordinator: DataSource,
  { migration, schemaBased = false }: CitusLayout,
  work: (dataSource: DataSource) => Promise<T>,
  { settings = "", prepared = false }: SessionOptions = {},
): Promise<T> {
  const schema = `task_run_state_${randomUUID().slice(0, 8)}`;
  await coordinator.transaction(async (manager) => {
    if (schemaBased) await manager.query("SET LOCAL citus.enable_schema_based_sharding TO on");
    await manager.query(`CREATE SCHEMA ${schema}`);
  });
  const dataSource = new DataSource({
    ...coordinator.options,
    entities: [TaskRunState],
    migrations: migration ? [...migrations, migration] : [...migrations],
    extra: {
      max: 8,
      idleTimeoutMillis: 0,
      options: `-c search_path=${schema},public ${settings}`,
      ...(prepared && { Client: withPreparedStatements(Client) }),
    },
  });
  try {
    await dataSource.initialize();
    await dataSource.runMigrations();
    return await work(dataSource);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await coordinator.query(`DROP SCHEMA ${schema} CASCADE`);
  }
}
