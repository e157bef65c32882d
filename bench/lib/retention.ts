import type { Client } from "pg";
import { DataSource } from "typeorm";

import { type PruneStep, pruneTaskRunStates, TaskRunState } from "../../dist";
import { STATES, schemaOf } from "./latency";
import { shuffled } from "./lists";
import { progress, roundName } from "./progress";
import { quotients, type Spread, spreadOf } from "./statistics";

/** What a step finds: nothing that is old enough, or every tenth history, which it deletes. */
export const FINDS = ["nothing old", "a tenth old"] as const;
export type Finds = (typeof FINDS)[number];

/** What was measured on one table. */
export interface RetentionResult {
  rows: number;
  steps: Record<Finds, StepTiming>;
}

/** For each task run that a step looks at. */
export interface StepTiming {
  microseconds: Spread;
  againstReference: Spread;
}

/** The table that the others are compared with: that of 100,000 rows, where it is measured. */
export function referenceOf<T extends { rows: number }>(tables: T[]): T | undefined {
  return tables.find(({ rows }) => rows === 1e5) ?? tables[0];
}

/** Measures single steps, which begin anywhere in a table. Every round measures all tables. */
export async function measureRetention(
  client: Client,
  url: string,
  sizes: number[],
  { warmUpRounds, rounds }: { warmUpRounds: number; rounds: number },
): Promise<RetentionResult[]> {
  const tables = sizes.map((rows) => new PrunedTable(rows, url));
  const reference = referenceOf(tables);
  try {
    for (const table of tables) await table.dataSource.initialize();
    for (let round = -warmUpRounds; round < rounds; round++) {
      progress(`retention: ${roundName(round, rounds)}`);
      for (const table of shuffled(tables)) {
        for (const finds of FINDS) {
          const microseconds = await table.step(finds);
          if (round >= 0) table.microseconds[finds].push(microseconds);
        }
        await client.query(`VACUUM ${schemaOf(table.rows)}.task_run_state`); // The pages are all visible again.
      }
    }
  } finally {
    for (const { dataSource } of tables) if (dataSource.isInitialized) await dataSource.destroy();
  }
  return tables.map(({ rows, microseconds }) => {
    const timingOf = (finds: Finds): StepTiming => ({
      microseconds: spreadOf(microseconds[finds]),
      againstReference: spreadOf(quotients(microseconds[finds], reference?.microseconds[finds] ?? [])),
    });
    return {
      rows,
      steps: { "nothing old": timingOf("nothing old"), "a tenth old": timingOf("a tenth old") },
    };
  });
}

class PrunedTable {
  /** One figure for each round. */
  readonly microseconds: Record<Finds, number[]> = { "nothing old": [], "a tenth old": [] };
  readonly dataSource: DataSource;

  constructor(
    readonly rows: number,
    url: string,
  ) {
    this.dataSource = new DataSource({
      type: "postgres",
      url,
      schema: schemaOf(rows),
      entities: [TaskRunState],
    });
  }

  /** Undoes the step. */
  async step(finds: Finds): Promise<number> {
    const runner = this.dataSource.createQueryRunner();
    await runner.startTransaction();
    try {
      const steps = pruneTaskRunStates(runner.manager, {
        before: this.before(finds),
        after: this.anywhere(),
      });
      const start = performance.now();
      const { value: step }: IteratorResult<PruneStep, void> = await steps.next();
      const elapsed = performance.now() - start;
      if (!step || step.states > 0 !== (finds === "a tenth old")) {
        throw new Error(`The step was to find ${finds}, but came to ${JSON.stringify(step)}`);
      }
      return (elapsed * 1000) / step.taskRunsSeen;
    } finally {
      await runner.rollbackTransaction();
      await runner.release();
    }
  }

  /** A task run begins each second and takes 20. */
  private before(finds: Finds): Date {
    const seconds = finds === "a tenth old" ? this.rows / STATES / 10 + 20 : 0;
    return new Date(Date.UTC(2026, 0) + seconds * 1000);
  }

  /** An id that enough task runs for a step stand behind, if the table has so many. */
  private anywhere(): string {
    const runs = this.rows / STATES;
    const place = Math.random() * Math.max(0, 1 - 1500 / runs);
    return `${Math.floor(place * 2 ** 32)
      .toString(16)
      .padStart(8, "0")}-0000-4000-8000-000000000000`;
  }
}
