import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { DataSource, type MigrationInterface } from "typeorm";
import { migrations } from "../../dist";
import { recordedStates } from "../../scripts/prefect/history";

/** Runs the work in a new database of the server that DATABASE_URL names, and drops it afterwards. */
export async function withDatabase<T>(work: (client: Client, url: string) => Promise<T>): Promise<T> {
  const name = `task_run_state_bench_${randomUUID().replaceAll("-", "")}`;
  const url = new URL(process.env.DATABASE_URL ?? "");
  const server = await connect(url.href);
  try {
    await server.query(`CREATE DATABASE ${name}`);
    url.pathname = name;
    try {
      const client = await connect(url.href);
      try {
        return await work(client, url.href);
      } finally {
        await client.end();
      }
    } finally {
      // PostgreSQL waits for connections that are about to end. A failure here must not hide one of the work.
      await server.query(`DROP DATABASE ${name}`).catch((error) => {
        console.error(`The database ${name} is left behind: ${error.message}`);
        process.exitCode = 1;
      });
    }
  } finally {
    await server.end();
  }
}

/** The URL of sessions that find their tables in this schema. */
export function withSchema(url: string, schema: string, settings = ""): string {
  const inSchema = new URL(url);
  inSchema.searchParams.set("options", `-c search_path=${schema} ${settings}`);
  return inSchema.href;
}

export async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  client.on("error", () => {}); // The next query reports it.
  await client.connect();
  return client;
}

/** Creates the table with this module's migration, as a host does, and goes on with one of the host's. */
export async function migrate(
  url: string,
  {
    migration,
    afterwards,
    ...options
  }: {
    schema?: string;
    migration?: (new () => MigrationInterface) | undefined;
    afterwards?: ((dataSource: DataSource) => Promise<unknown>) | undefined;
  } = {},
): Promise<void> {
  const all = migration ? [...migrations, migration] : migrations;
  const dataSource = new DataSource({
    type: "postgres",
    url,
    migrations: all,
    migrationsRun: true,
    ...options,
  });
  await dataSource.initialize();
  await afterwards?.(dataSource);
  await dataSource.destroy();
}

/** SQL for the id of task run `n` in a group that `fill` made. */
export const runId = (group: string, n: string): string => `md5('${group}' || ${n})::uuid`;

/** SQL for a UUID of version 7 that was made at so many milliseconds. */
export const timedId = (milliseconds: string, seed: string): string =>
  `(lpad(to_hex(${milliseconds}), 12, '0') || '7' || substr(md5(${seed}), 1, 3)
     || '8' || substr(md5(${seed}), 4, 15))::uuid`;

/** Of version 7, an id of a task run begins with the time at which the task run does. */
export type RunIds = "random" | "version 7";

export interface Histories {
  table?: string;
  group?: string;
  runs: number;
  states: number;
  /** A live system records states in the order of their times. Shuffled, each row of a history lies on a page of its own. */
  arrival?: "shuffled" | "by time";
  runIds?: RunIds;
  /** The ids of states are as if they arrived during so many weeks from now on. */
  weeks?: number | undefined;
}

/**
 * Fills a table with histories. Their contents repeat the recorded Prefect states, but each task run ends as COMPLETED. A
 * task run begins each second, and a state follows the one before it after about two seconds. Times have microseconds.
 * Ids of states are UUIDv7 in the order of arrival.
 */
export async function fill(
  client: Client,
  {
    table = "task_run_state",
    group = "run",
    runs,
    states,
    arrival = "shuffled",
    runIds = "random",
    weeks,
  }: Histories,
): Promise<void> {
  const run = "a.n / $3::int";
  const at = `timestamptz '2026-01-01Z' + n / $3::int * interval '1.000001 s' + n % $3::int * interval '2.123457 s'`;
  const arrived =
    weeks === undefined
      ? "1767225600000 + arrival"
      : `(1000 * extract(epoch FROM now() + ${weeks} * arrival / ${runs * states}.0 * interval '1 week'))::bigint`;
  await client.query(
    `WITH contents AS MATERIALIZED (
       SELECT row_number() OVER () - 1 AS n, c.* FROM jsonb_populate_recordset(NULL::${table}, $1) c
     ), arrivals AS (
       SELECT n, at, row_number() OVER () AS arrival
       FROM (
         SELECT n, ${at} AS at FROM generate_series(0, $2::int * $3::int - 1) n
         ORDER BY ${arrival === "shuffled" ? "random()" : "at"}
       ) arriving
     )
     INSERT INTO ${table} (id, created, updated, type, timestamp, name, message, state_details, data, task_run_id)
     SELECT ${timedId(arrived, `'${group}' || a.n`)}, arrived, arrived,
       CASE a.n % $3::int WHEN $3 - 1 THEN 'COMPLETED' ELSE c.type END, at, c.name, c.message, c.state_details, c.data,
       ${runIds === "random" ? runId(group, run) : timedId(`1767225600000 + 1000::bigint * (${run})`, `'${group}' || ${run}`)}
     FROM arrivals a
     JOIN contents c ON c.n = a.n % $4::int
     CROSS JOIN LATERAL (SELECT timestamptz '2026-01-01Z' + arrival * interval '0.100003 s' AS arrived) times`,
    [JSON.stringify(recordedStates), runs, states, recordedStates.length],
  );
}
