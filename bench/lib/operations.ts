import type { Client } from "pg";

import { fill, runId } from "./database";
import { SCRATCH_RUN } from "./new-states";
import { grouped } from "./text";
import type { Input, Method } from "./worker";

/** Something to measure. */
export interface Operation {
  name: string;
  method: Method;
  /** The calls take any of these. */
  inputs: Input[];
  /** How many states a call reads, deletes or records. */
  states: number;
  /** How many calls are under way at a time. */
  callers: number;
}

export const CALLERS = 16;
/** Of those that record a thousand states in each call. */
export const BULK_CALLERS = 4;

export const isWrite = ({ method }: Operation): boolean => ["delete", "record", "recordAll"].includes(method);

/** How many task runs with so many states the table holds. */
const RUNS = new Map([
  [3, 2000],
  [10, 5000],
  [50, 1000],
  [100, 100],
  [1000, 10],
]);

/** Whose latest states a call asks for: of so many task runs, with so many states each. */
const LATEST = { runs: 100, states: 50 };

/** Of so many rows the ids are taken. Deletes take the rows themselves, which `tidy` puts back. */
const KEPT = 5000;

/** Fills the table, with so large a part of the task runs. */
export async function prepareOperations(client: Client, scale: number): Promise<Operation[]> {
  await client.query("ALTER TABLE task_run_state SET (autovacuum_enabled = off)"); // `tidy` does its work.
  const runsOf = new Map<number, string[]>();
  for (const [states, count] of RUNS) {
    const [group, runs] = [`of ${states}`, count * scale];
    await fill(client, { group, runs, states });
    const sql = `SELECT ${runId(group, "n")} AS id FROM generate_series(0, ${runs - 1}) n`;
    runsOf.set(states, await idsOf(client, sql));
  }
  const [read, remove] = await readAndDelete(client, "public");
  const { runs, states } = LATEST;
  const asked = runsOf.get(states) ?? [];
  const latest: Operation = {
    name: `latest of ${runs}`,
    method: "latest",
    inputs: Array.from({ length: asked.length / runs }, (_, n) => asked.slice(n * runs, (n + 1) * runs)),
    states: runs,
    callers: CALLERS,
  };
  const numbers = [...Array(1000).keys()];
  return [
    read,
    ...[3, 10, 100, 1000].map((states) => listOf(states, runsOf.get(states) ?? [])),
    latest,
    remove,
    { name: "record 1", method: "record", inputs: numbers, states: 1, callers: CALLERS },
    { name: "record 1,000", method: "recordAll", inputs: numbers, states: 1000, callers: BULK_CALLERS },
  ];
}

/** The operations on a table of histories of so many states. */
export async function operationsOn(client: Client, schema: string, states: number): Promise<Operation[]> {
  const [read, remove] = await readAndDelete(client, schema);
  const runs = await idsOf(client, `SELECT DISTINCT task_run_id AS id FROM ${keptOf(schema)}`);
  return [read, listOf(states, runs), remove];
}

async function readAndDelete(client: Client, schema: string): Promise<[Operation, Operation]> {
  const kept = keptOf(schema);
  await client.query(
    `CREATE TEMP TABLE ${kept} AS SELECT * FROM ${schema}.task_run_state ORDER BY random() LIMIT ${KEPT}`,
  );
  await tidy(client, schema);
  await client.query(`ANALYZE ${schema}.task_run_state`);
  const inputs = await idsOf(client, `SELECT id FROM ${kept}`);
  const byId = { inputs, states: 1, callers: CALLERS };
  return [
    { name: "by id", method: "read", ...byId },
    { name: "delete", method: "delete", ...byId },
  ];
}

const keptOf = (schema: string): string => `kept_of_${schema}`;

const listOf = (states: number, inputs: string[]): Operation => ({
  name: `list of ${grouped(states)}`,
  method: "list",
  inputs,
  states,
  callers: CALLERS,
});

/** Makes the table of a schema what it was before the last writes. */
export async function tidy(client: Client, schema: string): Promise<void> {
  const table = `${schema}.task_run_state`;
  await client.query(`DELETE FROM ${table} WHERE task_run_id = '${SCRATCH_RUN}'`);
  await client.query(`INSERT INTO ${table} TABLE ${keptOf(schema)} ON CONFLICT DO NOTHING`);
  await client.query(`VACUUM ${table}`);
}

export async function idsOf(client: Client, sql: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(sql);
  return rows.map(({ id }) => id);
}
