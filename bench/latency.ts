import type { Client } from "pg";
import { DataSource, type EntityManager, type Logger } from "typeorm";

import { TaskRunState, TaskRunStateService } from "../dist";
import { fill, migrate, runId } from "./database";
import { explain, type Plan, type Statement } from "./plans";
import { progress } from "./progress";
import { quantile, type Spread, spreadOf } from "./statistics";

export const METHODS = ["read by id", "list of 10", "delete by id"] as const;
export type Method = (typeof METHODS)[number];

/** How many states each task run has. */
export const STATES = 10;

/** SQL for the ids of so many task runs, drawn from `runs`; some may be drawn twice. */
export const randomRuns = (runs: string, count: string): string =>
  `SELECT ${runId("run", `floor(random() * ${runs}::int)::int`)} FROM generate_series(1, ${count})`;

/** A table of so many rows, and how the three methods fare on it. */
export interface TableResult {
  rows: number;
  methods: Record<Method, { microseconds: Spread; againstSmallest: Spread; plan: Plan }>;
}

/** Tables of all sizes side by side, each in a schema of its own. */
export const schemaOf = (rows: number): string => `rows_${rows}`;

export async function createTable(client: Client, url: string, rows: number): Promise<void> {
  const schema = schemaOf(rows);
  await client.query(`CREATE SCHEMA ${schema}`);
  await migrate(url, schema);
  await fill(client, { table: `${schema}.task_run_state`, runs: rows / STATES, states: STATES });
  await client.query(`VACUUM (ANALYZE) ${schema}.task_run_state`);
}

interface Inputs {
  ids: string[];
  taskRunIds: string[];
}

const service = new TaskRunStateService();

const CALLS: Record<Method, (manager: EntityManager, inputs: Inputs, n: number) => Promise<unknown>> = {
  "read by id": (manager, { ids }, n) => service.readTaskRunState(manager, ids[n] ?? ""),
  "list of 10": (manager, { taskRunIds }, n) => service.readTaskRunStates(manager, taskRunIds[n] ?? ""),
  "delete by id": (manager, { ids }, n) => service.deleteTaskRunState(manager, ids[n] ?? ""),
};

/** How long one caller waits for each method, table by table in every round. */
export async function measureLatency(
  client: Client,
  url: string,
  sizes: number[],
  { warmUpRounds, rounds, calls }: { warmUpRounds: number; rounds: number; calls: number },
): Promise<TableResult[]> {
  const tables = sizes.map((rows) => ({
    rows,
    dataSource: new DataSource({ type: "postgres", url, schema: schemaOf(rows), entities: [TaskRunState] }),
    medians: { "read by id": [], "list of 10": [], "delete by id": [] } as Record<Method, number[]>,
  }));
  try {
    for (const { dataSource } of tables) await dataSource.initialize();
    for (let round = -warmUpRounds; round < rounds; round++) {
      progress(`latency: ${round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`}`);
      for (const { rows, dataSource, medians } of round % 2 ? tables.toReversed() : tables) {
        const inputs = await sample(client, rows, calls);
        for (const method of METHODS) {
          const median = await medianLatency(dataSource, calls, (manager, n) =>
            CALLS[method](manager, inputs, n),
          );
          if (round >= 0) medians[method].push(median);
        }
      }
    }
  } finally {
    for (const { dataSource } of tables) if (dataSource.isInitialized) await dataSource.destroy();
  }

  const smallest = tables[0]?.medians;
  const results: TableResult[] = [];
  for (const { rows, medians } of tables) {
    const plans = await plansOn(client, url, rows);
    const result = (method: Method) => ({
      microseconds: spreadOf(medians[method]),
      againstSmallest: spreadOf(
        medians[method].map((median, round) => median / (smallest?.[method][round] ?? Number.NaN)),
      ),
      plan: plans[method],
    });
    results.push({
      rows,
      methods: {
        "read by id": result("read by id"),
        "list of 10": result("list of 10"),
        "delete by id": result("delete by id"),
      },
    });
  }
  return results;
}

/** In one transaction, rolled back: the table stays as it is. */
async function medianLatency(
  dataSource: DataSource,
  calls: number,
  call: (manager: EntityManager, n: number) => Promise<unknown>,
): Promise<number> {
  const runner = dataSource.createQueryRunner();
  const microseconds: number[] = [];
  await runner.startTransaction();
  try {
    for (let n = 0; n < calls; n++) {
      const start = performance.now();
      await call(runner.manager, n);
      microseconds.push((performance.now() - start) * 1000);
    }
  } finally {
    await runner.rollbackTransaction();
    await runner.release();
  }
  return quantile(
    microseconds.toSorted((a, b) => a - b),
    0.5,
  );
}

/** Rows and runs from anywhere in the table. */
async function sample(client: Client, rows: number, count: number): Promise<Inputs> {
  const { rows: sampled } = await client.query<{ id: string; run: string }>(
    `SELECT (array_agg(id))[1] AS id, task_run_id AS run
     FROM ${schemaOf(rows)}.task_run_state
     WHERE task_run_id IN (
       ${randomRuns("$1", "$2::int * 2")}
     )
     GROUP BY task_run_id LIMIT $2::int`,
    [rows / STATES, count],
  );
  return { ids: sampled.map(({ id }) => id), taskRunIds: sampled.map(({ run }) => run) };
}

async function plansOn(client: Client, url: string, rows: number): Promise<Record<Method, Plan>> {
  const log = new StatementLog();
  const dataSource = new DataSource({
    type: "postgres",
    url,
    schema: schemaOf(rows),
    entities: [TaskRunState],
    logger: log,
  });
  await dataSource.initialize();
  try {
    const inputs = await sample(client, rows, 1);
    const plan = async (method: Method) => {
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      log.latest = undefined;
      await CALLS[method](runner.manager, inputs, 0);
      const statement = log.latest;
      await runner.rollbackTransaction();
      await runner.release();
      if (!statement) throw new Error(`${method} sent no statement`);
      return explain(client, statement);
    };
    return {
      "read by id": await plan("read by id"),
      "list of 10": await plan("list of 10"),
      "delete by id": await plan("delete by id"),
    };
  } finally {
    await dataSource.destroy();
  }
}

class StatementLog implements Logger {
  latest: Statement | undefined;

  logQuery(sql: string, parameters: unknown[] = []): void {
    this.latest = { sql, parameters };
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
