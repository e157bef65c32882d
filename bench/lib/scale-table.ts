import type { Client } from "pg";
import type { DataSource, EntityManager } from "typeorm";

import { fill, type Histories, migrate } from "./database";
import { progress } from "./progress";
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
