import type { Client } from "pg";
import type { DataSource, EntityManager } from "typeorm";

import { fill, type Histories, migrate } from "./database";
import { progress } from "./progress";
import { type Effort, inRounds } from "./rounds";
import { quotients, type Spread, spreadOf } from "./statistics";
import { grouped } from "./text";

/** How many states each task run has. */
export const STATES = 10;

/** Tables of all sizes stand side by side, each in a schema of its own. */
export const schemaOf = (rows: number): string => `rows_${rows}`;

export async function createTable(
  client: Client,
  url: string,
  rows: number,
  histories?: Pick<Histories, "arrival" | "runIds">,
): Promise<void> {
  const schema = schemaOf(rows);
  progress(`loading ${grouped(rows)} rows`);
  await client.query(`CREATE SCHEMA ${schema}`);
  await migrate(url, { schema });
  await fill(client, {
    ...histories,
    table: `${schema}.task_run_state`,
    runs: rows / STATES,
    states: STATES,
  });
  await client.query(`VACUUM (ANALYZE) ${schema}.task_run_state`);
}

export async function dropTables(client: Client, sizes: number[]): Promise<void> {
  for (const rows of sizes) await client.query(`DROP SCHEMA ${schemaOf(rows)} CASCADE`);
}

/** Works in a transaction that it rolls back, so that the table stays as it is. */
export async function undone<T>(
  dataSource: DataSource,
  work: (manager: EntityManager) => Promise<T>,
): Promise<T> {
  const runner = dataSource.createQueryRunner();
  await runner.startTransaction();
  try {
    return await work(runner.manager);
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
}

/** How long something takes on a table. */
export interface Timing<What> {
  rows: number;
  what: What;
  microseconds: Spread;
  /** As a multiple of the time on the table of `reference` rows, in the same round. */
  againstReference: Spread;
  reference: number;
}

/** Every round measures all tables. */
export async function timeTables<Table extends { rows: number }, What extends string>(
  title: string,
  effort: Effort,
  tables: Table[],
  reference: Table | undefined,
  whats: readonly What[],
  time: (table: Table, what: What) => Promise<number>,
): Promise<Timing<What>[]> {
  const groups = whats.map((what) => tables.map((table) => ({ table, what })));
  const measured = await inRounds(title, effort, groups, ({ table, what }) => time(table, what));
  const timings = [...measured].map(([turn, microseconds]) => ({ ...turn, microseconds }));
  return timings.map(({ table, what, microseconds }) => {
    const base = timings.find((other) => other.table === reference && other.what === what);
    return {
      rows: table.rows,
      what,
      microseconds: spreadOf(microseconds),
      againstReference: spreadOf(quotients(microseconds, base?.microseconds ?? [])),
      reference: base?.table.rows ?? 0,
    };
  });
}
