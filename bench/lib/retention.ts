import type { Client } from "pg";
import { DataSource } from "typeorm";

import { pruneTaskRunStates, TaskRunState } from "../../dist";
import type { Histories } from "./database";
import { createTable, dropTables, STATES, schemaOf } from "./latency";
import { shuffled } from "./lists";
import { progress, roundName } from "./progress";
import { quotients, type Spread, spreadOf } from "./statistics";

/** What is there to delete: nothing, or every tenth history. */
export const FINDS = ["nothing old", "a tenth old"] as const;
export type Finds = (typeof FINDS)[number];

export const RUN_IDS = ["random", "version 7"] as const satisfies Histories["runIds"][];
export type RunIds = (typeof RUN_IDS)[number];

/** What was measured on one table. */
export interface RetentionResult {
  rows: number;
  prunes: Record<Finds, PruneTiming>;
}

/** For each task run of the table. */
export interface PruneTiming {
  microseconds: Spread;
  againstReference: Spread;
}

/** The table that the others are compared with: that of 100,000 rows, where it is measured. */
export function referenceOf<T extends { rows: number }>(tables: T[]): T | undefined {
  return tables.find(({ rows }) => rows === 1e5) ?? tables[0];
}

/**
 * Measures how long it takes to prune a whole table, whose states lie in the order of their times, as a live system records
 * them. Every round measures all tables.
 */
export async function measureRetention(
  client: Client,
  url: string,
  sizes: number[],
  runIds: RunIds,
  rounds: number,
): Promise<RetentionResult[]> {
  const tables: PrunedTable[] = [];
  try {
    for (const rows of sizes) {
      await createTable(client, url, rows, { arrival: "by time", runIds });
      tables.push(await PrunedTable.open(url, rows));
    }
    for (let round = -1; round < rounds; round++) {
      progress(`retention, ids of task runs ${runIds}: ${roundName(round, rounds)}`);
      for (const table of shuffled(tables)) {
        for (const finds of FINDS) {
          const microseconds = await table.prune(finds);
          if (round >= 0) table.microseconds[finds].push(microseconds);
        }
      }
    }
  } finally {
    for (const table of tables) await table.close();
  }
  await dropTables(client, sizes);
  const reference = referenceOf(tables);
  return tables.map(({ rows, microseconds }) => {
    const timingOf = (finds: Finds): PruneTiming => ({
      microseconds: spreadOf(microseconds[finds]),
      againstReference: spreadOf(quotients(microseconds[finds], reference?.microseconds[finds] ?? [])),
    });
    return {
      rows,
      prunes: { "nothing old": timingOf("nothing old"), "a tenth old": timingOf("a tenth old") },
    };
  });
}

class PrunedTable {
  /** One figure for each round. */
  readonly microseconds: Record<Finds, number[]> = { "nothing old": [], "a tenth old": [] };

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
    const taskRuns = this.rows / STATES;
    const times = taskRuns < 1e5 ? 10 : 1; // A small table takes too short a time for one figure.
    let milliseconds = 0;
    for (let time = 0; time < times; time++) {
      milliseconds += await this.pruneOnce(finds);
      await this.dataSource.query(`VACUUM ${schemaOf(this.rows)}.task_run_state`); // The pages are all visible again.
    }
    return (milliseconds * 1000) / times / taskRuns;
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  /** Undoes it. */
  private async pruneOnce(finds: Finds): Promise<number> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      const start = performance.now();
      let found = 0;
      for await (const { taskRuns } of pruneTaskRunStates(runner.manager, { before: this.before(finds) })) {
        found += taskRuns;
      }
      const elapsed = performance.now() - start;
      const expected = finds === "a tenth old" ? this.rows / STATES / 10 : 0;
      if (Math.abs(found - expected) > 1) throw new Error(`${found} histories went, not ${expected}`);
      return elapsed;
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  /** A task run begins each second and takes about 19. */
  private before(finds: Finds): Date {
    const seconds = finds === "a tenth old" ? this.rows / STATES / 10 + 19 : 0;
    return new Date(Date.UTC(2026, 0) + seconds * 1000);
  }
}
