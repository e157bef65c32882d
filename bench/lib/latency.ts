import type { Client } from "pg";
import { DataSource, type EntityManager, type Logger } from "typeorm";

import { TaskRunState, TaskRunStateService } from "../../dist";
import { explain, type Plan } from "./plans";
import type { Effort } from "./rounds";
import { schemaOf, type Timing, timeTables, undone } from "./scale-table";
import { spreadOf } from "./statistics";

export const METHODS = ["read by id", "list of 10", "delete by id"] as const;
export type Method = (typeof METHODS)[number];

/**
 * Which rows the calls ask for. The working set is a few rows, again and again: PostgreSQL keeps their pages in its
 * memory, however large the table is. The whole table is any row: when the table is larger than PostgreSQL's memory,
 * most of the pages have to come from the operating system.
 */
export const ACCESSES = ["working set", "whole table"] as const;
export type Access = (typeof ACCESSES)[number];

/** What was measured. */
export interface Latency {
  timings: Record<Access, Timing<Method>[]>;
  plans: { rows: number; method: Method; plan: Plan }[];
}

/** Measures how long one caller waits for each method. All tables are compared with the smallest. */
export async function measureLatency(
  client: Client,
  url: string,
  sizes: number[],
  { calls, ...effort }: Effort & { calls: number },
): Promise<Latency> {
  const tables: MeasuredTable[] = [];
  try {
    for (const rows of sizes) tables.push(await MeasuredTable.open(client, url, rows));
    const timingsOf = (access: Access) =>
      timeTables(`latency, ${access}`, effort, tables, tables[0], METHODS, (table, method) =>
        table.medianLatency(method, access, calls),
      );
    const timings = {
      "working set": await timingsOf("working set"),
      "whole table": await timingsOf("whole table"),
    };
    const plans: Latency["plans"] = [];
    for (const method of METHODS) {
      for (const table of tables) {
        plans.push({ rows: table.rows, method, plan: await table.plan(client, method) });
      }
    }
    return { timings, plans };
  } finally {
    for (const table of tables) await table.close();
  }
}

const service = new TaskRunStateService();

const CALLS: Record<Method, (manager: EntityManager, id: string) => Promise<unknown>> = {
  "read by id": (manager, id) => service.readTaskRunState(manager, id),
  "list of 10": (manager, id) => service.readTaskRunStates(manager, id),
  "delete by id": (manager, id) => service.deleteTaskRunState(manager, id),
};

class MeasuredTable {
  private constructor(
    readonly rows: number,
    private readonly dataSource: DataSource,
    private readonly log: StatementLog,
    /** Taken from the whole table, other rows for each method. The working set comes first; the others take turns. */
    private readonly ids: Record<Method, string[]>,
  ) {}

  static async open(client: Client, url: string, rows: number): Promise<MeasuredTable> {
    const { rows: sample } = await client.query<{ id: string; run: string }>(
      `SELECT id, task_run_id AS run FROM ${schemaOf(rows)}.task_run_state ORDER BY random() LIMIT 30000`,
    );
    const third = Math.floor(sample.length / 3);
    const log = new StatementLog();
    const dataSource = new DataSource({
      type: "postgres",
      url,
      schema: schemaOf(rows),
      entities: [TaskRunState],
      logger: log,
    });
    await dataSource.initialize();
    return new MeasuredTable(rows, dataSource, log, {
      "read by id": sample.slice(0, third).map(({ id }) => id),
      "list of 10": sample.slice(third, 2 * third).map(({ run }) => run),
      "delete by id": sample.slice(2 * third).map(({ id }) => id),
    });
  }

  async medianLatency(method: Method, access: Access, calls: number): Promise<number> {
    const microseconds: number[] = [];
    const ids = access === "working set" ? this.ids[method].slice(0, calls) : this.next(method, calls);
    await undone(this.dataSource, async (manager) => {
      for (const id of ids) {
        const start = performance.now();
        await CALLS[method](manager, id);
        microseconds.push((performance.now() - start) * 1000);
      }
    });
    return spreadOf(microseconds).median;
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  async plan(client: Client, method: Method): Promise<Plan> {
    const sql = await undone(this.dataSource, async (manager) => {
      for (const id of this.next(method, 1)) await CALLS[method](manager, id);
      return this.log.latest;
    });
    return explain(client, sql, this.next(method, 1)); // With another id: the call has just read the pages of its own.
  }

  /** The ids that have been unused for the longest time. */
  private next(method: Method, count: number): string[] {
    const ids = this.ids[method];
    const taken = ids.splice(ids.length - count);
    ids.splice(ids.length / 2, 0, ...taken);
    return taken;
  }
}

class StatementLog implements Logger {
  latest = "";

  logQuery(sql: string): void {
    this.latest = sql;
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
