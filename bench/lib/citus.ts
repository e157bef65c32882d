import { DataSource } from "typeorm";

import {
  BY_ID,
  BY_TASK_RUN,
  type CitusLayout,
  PLAIN,
  SCHEMA_FOR_EACH_TENANT,
  SINGLE_SHARD,
  withSchemaOf,
} from "./citus-layouts";
import type { Result, TimedEffort } from "./comparison";
import { connect, withSchema } from "./database";
import { compareLayouts, type Layout, prepared, prepareLayout } from "./layouts";

const SHARDS_OF_THE_MIGRATIONS = 8;

/** A layout, spread over so many shards, with such settings of the sessions. */
interface Measured {
  layout: CitusLayout;
  detail?: string;
  shards?: number;
  settings?: string;
}

const MEASURED: Measured[] = [
  ...[PLAIN, SINGLE_SHARD, SCHEMA_FOR_EACH_TENANT].map((layout) => ({ layout })),
  ...[BY_ID, BY_TASK_RUN].flatMap((layout) => [
    ...[2, 8, 32].map((shards) => ({ layout, shards, detail: `, ${shards} shards` })),
    {
      layout,
      shards: 32,
      detail: ", 32 shards, one connection a worker",
      settings: "-c citus.max_adaptive_executor_pool_size=1",
    },
  ]),
];

/** Measures the layouts on the cluster of this coordinator, in schemas that it drops afterwards. */
export async function compareOnCitus(url: string, runs: number, effort: TimedEffort): Promise<Result[]> {
  const coordinator = await new DataSource({ type: "postgres", url }).initialize();
  const client = await connect(url);
  const layouts: Layout[] = [];
  const compareFrom = async ([measured, ...rest]: Measured[]): Promise<Result[]> => {
    if (!measured) return compareLayouts(client, layouts, effort);
    const { layout, shards = SHARDS_OF_THE_MIGRATIONS, detail = "", settings } = measured;
    return withSchemaOf(coordinator, layout, async (schema) => {
      const table = { url: withSchema(url, `${schema},public`, settings), schema, runs };
      layouts.push(
        await prepareLayout(client, layout.name + detail, table, layout.migration, async (dataSource) => {
          if (shards === SHARDS_OF_THE_MIGRATIONS) return;
          await dataSource.query(
            `SELECT alter_distributed_table('task_run_state', shard_count => ${shards})`,
          );
        }),
      );
      if (layout === SCHEMA_FOR_EACH_TENANT) layouts.push(...layouts.slice(-1).map(prepared));
      return compareFrom(rest);
    });
  };
  try {
    return await compareFrom(MEASURED);
  } finally {
    await client.end();
    await coordinator.destroy();
  }
}
