import type { Client } from "pg";
import type { DataSource, MigrationInterface } from "typeorm";

import { addWeeks, PartitionByWeek1795500000000 } from "../../examples/engines/partition-by-week";
import { compare, type Result, type TimedEffort } from "./comparison";
import { fill, migrate, withSchema } from "./database";
import { type Operation, operationsOn } from "./operations";
import { progress } from "./progress";
import { startWorker, withWorkers } from "./worker";

/** A way to lay out the table, with the contender that works on it. */
export interface Layout {
  name: string;
  contender: string;
  url: string;
  schema: string;
  operations: Operation[];
}

const STATES = 10;

/** Makes and fills the table of a schema. */
export async function prepareLayout(
  client: Client,
  name: string,
  { url, schema, runs, weeks }: { url: string; schema: string; runs: number; weeks?: number },
  migration?: new () => MigrationInterface,
  afterwards?: (dataSource: DataSource) => Promise<unknown>,
): Promise<Layout> {
  progress(`loading ${name}`);
  await migrate(url, { migration, afterwards });
  await fill(client, { table: `${schema}.task_run_state`, runs, states: STATES, arrival: "by time", weeks });
  const operations = await operationsOn(client, schema, STATES);
  return { name, contender: "this module", url, schema, operations };
}

/** One table, and a table with a partition for each of so many weeks. */
export async function preparePartitions(client: Client, url: string, runs: number): Promise<Layout[]> {
  const prepare = async (schema: string, weeks?: number) => {
    await client.query(`CREATE SCHEMA ${schema}`);
    const table = { url: withSchema(url, schema), schema, runs, weeks: weeks ?? 12 };
    return weeks === undefined
      ? prepareLayout(client, "one table", table)
      : prepareLayout(client, `${weeks} weeks`, table, PartitionByWeek1795500000000, ({ manager }) =>
          addWeeks(manager, weeks),
        );
  };
  const layouts = [await prepare("whole"), await prepare("weeks_12", 12), await prepare("weeks_52", 52)];
  return layouts.flatMap((layout) => [layout, prepared(layout)]);
}

export const prepared = (layout: Layout): Layout => ({
  ...layout,
  name: `${layout.name}, prepared`,
  contender: "this module, prepared",
});

export async function compareLayouts(
  client: Client,
  layouts: Layout[],
  effort: TimedEffort,
): Promise<Result[]> {
  const started = layouts.map((layout) => ({ ...layout, child: startWorker(layout.contender, layout.url) }));
  return withWorkers(started, (participants) => compare("layouts", client, participants, effort));
}
