import type { Client } from "pg";
import { DataSource, type EntityManager, type Logger } from "typeorm";

import { TaskRunState, TaskRunStateService } from "../../dist";
import { explain, type Plan } from "./plans";
import { type Effort, inRounds } from "./rounds";
import { schemaOf, undone } from "./scale-table";
import { quotients, type Spread, spreadOf } from "./statistics";

export const METHODS = ["read by id", "list of 10", "delete by id"] as const;
export type Method = (typeof METHODS)[number];

/**
 * Which rows the calls ask for. The working set is a few rows, again and again: PostgreSQL keeps their pages in its
 * memory, however large the table is. The whole table is any row: when the table is larger than PostgreSQL's memory,
 * most of the pages have to come from the operating system.
 */
export const ACCESSES = ["working set", "whole table"] as const;
export type Access = (typeof ACCESSES)[number];

/** What was measured on one table. */
export interface TableResult {
  rows: number;
  methods: Record<Method, Record<Access, Timing> & { plan: Plan }>;
}

export interface Timing {
  microseconds: Spread;
  againstSmallest: Spread;
}

/** Measures how long one caller waits for each method. Every round measures all tables. */
export async function measureLatency(
  client: Client,
  url: string,
  sizes: number[],
  { calls, ...effort }: Effort & { calls: number },
): Promise<TableResult[]> {
  const tables: MeasuredTable[] = [];
  try {
    for (const rows of sizes) tables.push(await MeasuredTable.open(client, url, rows));
    const groups = METHODS.flatMap((method) =>
      ACCESSES.map((access) => tables.map((table) => ({ table, method, access }))),
    );
    const measured = await inRounds("latency", effort, groups, ({ table, method, access }) =>
      table.medianLatency(method, access, calls),
    );
    for (const [{ table, method, access }, medians] of measured) table.medians[method][access] = medians;
    const results: TableResult[] = [];
    for (const table of tables) {
      const plans = await table.plans(client);
      const timingOf = (method: Method, access: Access): Timing => ({
        microseconds: spreadOf(table.medians[method][access]),
        againstSmallest: spreadOf(
          quotients(table.medians[method][access], tables[0]?.medians[method][access] ?? []),
        ),
      });
      const resultOf = (method: Method) => ({
        "working set": timingOf(method, "working set"),
        "whole table": timingOf(method, "whole table"),
        plan: plans[method],
      });
      results.push({
        rows: table.rows,
        methods: {
          "read by id": resultOf("read by id"),
          "list of 10": resultOf("list of 10"),
          "delete by id": resultOf("delete by id"),
        },
      });
    }
    return results;
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
  /** One figure for each round. */
  readonly medians: Record<Method, Record<Access, number[]>> = {
    "read by id": { "working set": [], "whole table": [] },
    "list of 10": { "working set": [], "whole table": [] },
    "delete by id": { "working set": [], "whole table": [] },
  };

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

  async plans(client: Client): Promise<Record<Method, Plan>> {
    return {
      "read by id": await this.plan(client, "read by id"),
      "list of 10": await this.plan(client, "list of 10"),
      "delete by id": await this.plan(client, "delete by id"),
    };
  }

  close(): Promise<void> {
    return this.dataSource.destroy();
  }

  private async plan(client: Client, method: Method): Promise<Plan> {
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
