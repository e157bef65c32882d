import { parseArgs } from "node:util";
import pg, { type Client } from "pg";
import { DataSource } from "typeorm";

import { migrations, TaskRunState, TaskRunStateService, withPreparedStatements } from "../dist";
import { addWeeks, PartitionByWeek1795500000000 } from "../examples/engines/partition-by-week";
import { poolOptions } from "./lib/contender";
import { timedId, withDatabase } from "./lib/database";
import { type Layout, type LayoutFigures, layoutOf, layoutsAsText, measureLayouts } from "./lib/layouts";
import { type Machine, machine, machineAsText } from "./lib/machine";
import { OPTIONS } from "./lib/options";
import { progress } from "./lib/progress";
import { grouped } from "./lib/text";

/** What `--json` prints. */
interface PartitionResults {
  machine: Machine;
  rows: number;
  rounds: number;
  layouts: LayoutFigures[];
  /** How long it took to remove the states of one week, of twelve. */
  removal: { states: number; byDropTableMs: number; byDeleteMs: number };
}

const { quick, json } = parseArgs({ options: { quick: OPTIONS.quick, json: OPTIONS.json } }).values;
const STATES = 10;
const RUNS = quick ? 600 : 60_000;
const effort = quick
  ? { rounds: 1, calls: 50, milliseconds: 1000 }
  : { rounds: 15, calls: 1000, milliseconds: 1000 };

const service = new TaskRunStateService();

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    const dataSources: DataSource[] = [];
    const open = async (schema: string, weeks: number, prepared = false): Promise<Layout> => {
      progress(`loading ${schema}`);
      await client.query(`CREATE SCHEMA ${schema}`);
      const dataSource = new DataSource({
        type: "postgres",
        url,
        entities: [TaskRunState],
        migrations: weeks > 0 ? [...migrations, PartitionByWeek1795500000000] : migrations,
        extra: {
          ...poolOptions(url),
          options: `-c search_path=${schema}`,
          ...(prepared && { Client: withPreparedStatements(pg.Client) }),
        },
      });
      dataSources.push(await dataSource.initialize());
      await dataSource.runMigrations();
      if (weeks > 0) await addWeeks(dataSource.manager, weeks);
      await fill(client, schema, weeks || 12);
      const name = weeks > 0 ? `${weeks} weeks` : "one table";
      return layoutOf(prepared ? `${name}, prepared` : name, dataSource, service);
    };
    try {
      const layouts = [
        await open("plain", 0),
        await open("plain_prepared", 0, true),
        await open("weeks_12", 12),
        await open("weeks_52", 52),
        await open("weeks_12_prepared", 12, true),
        await open("weeks_52_prepared", 52, true),
      ];
      const results: PartitionResults = {
        machine: await machine(client),
        rows: RUNS * STATES,
        rounds: effort.rounds,
        layouts: await measureLayouts(layouts, effort),
        removal: await compareRemoval(client),
      };
      console.log(json ? JSON.stringify(results, null, 2) : asText(results));
    } finally {
      for (const dataSource of dataSources) await dataSource.destroy();
    }
  });
}

/** Histories that begin at any time of the weeks to come, with ten seconds between two states. */
async function fill(client: Client, schema: string, weeks: number): Promise<void> {
  await client.query(
    `INSERT INTO ${schema}.task_run_state (id, task_run_id, type, timestamp, name)
     SELECT ${timedId("ms", "ms || ' ' || run")},
       md5(run::text)::uuid, 'RUNNING', to_timestamp(ms / 1000.0), 'Running'
     FROM (SELECT run, extract(epoch FROM now() + random() * $3 * interval '1 week') AS start
           FROM generate_series(1, $1::int) run) runs
     CROSS JOIN generate_series(1, $2::int) state
     CROSS JOIN LATERAL (SELECT floor((start + 10 * state) * 1000)::bigint AS ms) times
     ORDER BY ms`,
    [RUNS, STATES, weeks],
  );
  await client.query(`VACUUM (ANALYZE) ${schema}.task_run_state`);
}

/** Removes a week from the twelve as a table, and the next one row by row, with their space. */
async function compareRemoval(client: Client): Promise<PartitionResults["removal"]> {
  const { rows } = await client.query<{ name: string }>(
    `SELECT oid::regclass::text AS name FROM pg_class
     WHERE relnamespace = 'weeks_12'::regnamespace AND relname ~ '_w[0-9]{8}$' AND relkind = 'r' ORDER BY 1`,
  );
  const [dropped, emptied] = rows.map(({ name }) => name);
  const milliseconds = async (work: () => Promise<unknown>) => {
    const start = performance.now();
    await work();
    return performance.now() - start;
  };
  let states = 0;
  const byDropTableMs = await milliseconds(() => client.query(`DROP TABLE ${dropped}`));
  const byDeleteMs = await milliseconds(async () => {
    states = (await client.query(`DELETE FROM ${emptied}`)).rowCount ?? 0;
    await client.query(`VACUUM ${emptied}`);
  });
  return { states, byDropTableMs, byDeleteMs };
}

function asText({ machine, rows, rounds, layouts, removal }: PartitionResults): string {
  return `${machineAsText(machine)}
${grouped(rows)} states, ${STATES} to a task run. 16 callers, 8 connections, ${rounds} rounds.
Calls a second, medians; in brackets the median of the quotients with the one table in the same round.

${layoutsAsText(layouts)}

Removing a week of twelve, ${grouped(removal.states)} states: DROP TABLE ${removal.byDropTableMs.toFixed(0)} ms, DELETE and VACUUM ${removal.byDeleteMs.toFixed(0)} ms, each measured once`;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
