import type { Client } from "pg";
import { DataSource, type EntityManager } from "typeorm";

import { pruneTaskRunStates, TaskRunState } from "../../dist";
import type { RunIds } from "./database";
import { createTable, dropTables, STATES, schemaOf, type Timing, timeTables, undone } from "./scale-table";

/** What is there to delete: nothing, or every tenth history. */
export const FINDS = ["nothing old", "a tenth old"] as const;
export type Finds = (typeof FINDS)[number];

export const RUN_IDS: RunIds[] = ["random", "version 7"];

/** The table that the others are compared with: that of 100,000 rows, where it is measured. A smaller one takes few steps. */
export function referenceOf<T extends { rows: number }>(tables: T[]): T | undefined {
  return tables.find(({ rows }) => rows === 1e5) ?? tables[0];
}

/**
 * Measures how long it takes for each of its task runs to prune a whole table, in one transaction, which is rolled back. The states lie in the order
 * of their times, as a live system records them.
 */
export async function measureRetention(
  client: Client,
  url: string,
  sizes: number[],
  runIds: RunIds,
  rounds: number,
): Promise<Timing<Finds>[]> {
  const tables: PrunedTable[] = [];
  try {
    for (const rows of sizes) {
      await createTable(client, url, rows, { arrival: "by time", runIds });
      await assertOrderOfTime(client, rows);
      tables.push(await PrunedTable.open(url, rows));
    }
    const title = `retention, ids of task runs ${runIds}`;
    const effort = { warmUpRounds: 1, rounds };
    return await timeTables(title, effort, tables, referenceOf(tables), FINDS, (table, finds) =>
      table.prune(finds),
    );
  } finally {
    for (const table of tables) await table.close();
    await dropTables(client, sizes);
  }
}

async function assertOrderOfTime(client: Client, rows: number): Promise<void> {
  const { rows: statistics } = await client.query<{ correlation: number }>(
    `SELECT correlation FROM pg_stats
     WHERE schemaname = $1 AND tablename = 'task_run_state' AND attname = 'timestamp'`,
    [schemaOf(rows)],
  );
  if (statistics[0]?.correlation !== 1)
    throw new Error(`${rows} rows do not lie in the order of their times`);
}

class PrunedTable {
  private constructor(
    readonly rows: number,
    private readonly dataSource: DataSource,
  ) {}

  static async open(url: string, rows: number): Promise<PrunedTable> {
    const dataSource = new DataSource({
      type: "postgres",
      url,
      schema: schemaOf(rows),
      entities: [TaskRunState],
    });
    return new PrunedTable(rows, await dataSource.initialize());
  }

  /** The microseconds for each task run. */
  async prune(finds: Finds): Promise<number> {
    const times = this.taskRuns < 1e5 ? 10 : 1; // A small table takes too short a time for one figure.
    let milliseconds = 0;
    for (let time = 0; time < times; time++) {
      milliseconds += await undone(this.dataSource, (manager) => this.pruneOnce(manager, finds));
      await this.dataSource.query(`VACUUM ${schemaOf(this.rows)}.task_run_state`); // The pages are all visible again.
    }
    return (milliseconds * 1000) / times / this.taskRuns;
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private async pruneOnce(manager: EntityManager, finds: Finds): Promise<number> {
    const start = performance.now();
    let found = 0;
    for await (const step of pruneTaskRunStates(manager, { before: this.before(finds) })) {
      found += step.taskRuns;
    }
    const elapsed = performance.now() - start;
    const expected = finds === "a tenth old" ? this.taskRuns / 10 : 0;
    if (Math.abs(found - expected) > 1) throw new Error(`${found} histories went, not ${expected}`);
    return elapsed;
  }

  /** A task run begins each second and takes about 19. */
  private before(finds: Finds): Date {
    const seconds = finds === "a tenth old" ? this.taskRuns / 10 + 19 : 0;
    return new Date(Date.UTC(2026, 0) + seconds * 1000);
  }

  private get taskRuns(): number {
    return this.rows / STATES;
  }
}
