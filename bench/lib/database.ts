import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { DataSource } from "typeorm";
import { recordedStates } from "../../dev/prefect/history";
import { migrations } from "../../dist";

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

async function connect(url: string): Promise<Client> {
  const client = new Client(url);
  client.on("error", () => {}); // The next query reports it.
  await client.connect();
  return client;
}

/** Creates the table with this module's migration, as a host does. */
export async function migrate(url: string, schema = "public"): Promise<void> {
  const dataSource = new DataSource({ type: "postgres", url, schema, migrations, migrationsRun: true });
  await dataSource.initialize();
  await dataSource.destroy();
}

/** SQL for the id of task run `n` in a group that `fill` made. */
export const runId = (group: string, n: string): string => `md5('${group}' || ${n})::uuid`;

/**
 * Fills a table with `runs` task runs of `states` states each. Their contents repeat the recorded Prefect states, but each
 * task run ends as COMPLETED.
 * The states of all runs arrive in a shuffled order, so that a run's rows are scattered over the whole table. Ids
 * are UUIDv7 in the order of arrival. Times have microseconds.
 */
export async function fill(
  client: Client,
  {
    table = "task_run_state",
    group = "run",
    runs,
    states,
  }: { table?: string; group?: string; runs: number; states: number },
): Promise<void> {
  await client.query(
    `WITH contents AS MATERIALIZED (
       SELECT row_number() OVER () - 1 AS n, c.* FROM jsonb_populate_recordset(NULL::${table}, $1) c
     ), arrivals AS (
       SELECT n, row_number() OVER () AS arrival
       FROM (SELECT n FROM generate_series(0, $2::int * $3::int - 1) n ORDER BY random()) shuffled
     )
     INSERT INTO ${table} (id, created, updated, type, timestamp, name, message, state_details, data, task_run_id)
     SELECT (lpad(to_hex(1767225600000 + arrival), 12, '0') || '7' || substr(md5('${group}' || a.n), 1, 3)
              || '8' || substr(md5('${group}' || a.n), 4, 15))::uuid,
       arrived, arrived, CASE a.n % $3::int WHEN $3 - 1 THEN 'COMPLETED' ELSE c.type END, at, c.name, c.message, c.state_details, c.data, ${runId(group, "a.n / $3::int")}
     FROM arrivals a
     JOIN contents c ON c.n = a.n % $4::int
     CROSS JOIN LATERAL (
       SELECT timestamptz '2026-01-01' + (a.n / $3::int) * interval '1.000001 s'
         + (a.n % $3::int) * interval '2.123457 s' AS at,
         timestamptz '2026-01-01' + arrival * interval '0.100003 s' AS arrived
     ) times`,
    [JSON.stringify(recordedStates), runs, states, recordedStates.length],
  );
}
