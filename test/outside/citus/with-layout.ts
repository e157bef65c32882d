import { Client } from "pg";
import { DataSource } from "typeorm";
import { migrations, TaskRunState, withPreparedStatements } from "typeorm-task-run-state";

import { type CitusLayout, withSchemaOf } from "../../../bench/lib/citus-layouts";

export interface SessionOptions {
  /** The package prepares its statements. */
  prepared?: boolean;
}

/** Runs the work on the table in this layout, in a new schema. The schema is dropped afterwards. */
export function withLayout<T>(
  coordinator: DataSource,
  layout: CitusLayout,
  work: (dataSource: DataSource) => Promise<T>,
  { prepared = false }: SessionOptions = {},
): Promise<T> {
  return withSchemaOf(coordinator, layout, async (schema) => {
    const dataSource = new DataSource({
      ...coordinator.options,
      entities: [TaskRunState],
      migrations: layout.migration ? [...migrations, layout.migration] : [...migrations],
      extra: {
        max: 8,
        idleTimeoutMillis: 0,
        options: `-c search_path=${schema},public`,
        ...(prepared && { Client: withPreparedStatements(Client) }),
      },
    });
    try {
      await dataSource.initialize();
      await dataSource.runMigrations();
      return await work(dataSource);
    } finally {
      if (dataSource.isInitialized) await dataSource.destroy();
    }
  });
}
