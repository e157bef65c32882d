import type { Client } from "pg";
import { uuidv7 } from "uuidv7";

import { recordedStates } from "../test/support/history";
import type { NewState, Session } from "./contender";
import { fill, runId } from "./database";

/** Something to measure: what one call does, and the calls of a round. */
export interface Operation {
  name: string;
  kind: "read" | "write";
  /** For so many calls: made anew for every contender of every round, outside the measured time. */
  calls(count: number): Promise<((session: Session) => Promise<unknown>)[]>;
}

/** Runs of the lengths that are listed, among others: how many of each the table holds. */
const RUNS = new Map([
  [3, 2000],
  [10, 5000],
  [100, 100],
  [1000, 10],
]);
const BULK = 1000;

/** A task run of which the writes make their rows, which are removed after each of them. */
const SCRATCH_RUN = uuidv7();

export async function prepareTable(client: Client): Promise<void> {
  for (const [states, runs] of RUNS) await fill(client, { group: `of ${states}`, runs, states });
  await client.query("ALTER TABLE task_run_state SET (autovacuum_enabled = off)"); // tidyTable does its work.
  await client.query("VACUUM (ANALYZE) task_run_state");
}

export async function tidyTable(client: Client): Promise<void> {
  await client.query("DELETE FROM task_run_state WHERE task_run_id = $1", [SCRATCH_RUN]);
  await client.query("VACUUM task_run_state");
}

export async function operationsOn(client: Client, reference: Session): Promise<Operation[]> {
  const { rows } = await client.query<{ id: string }>(
    "SELECT id FROM task_run_state ORDER BY random() LIMIT 5000",
  );
  const ids = rows.map(({ id }) => id);
  const lists: Operation[] = [];
  for (const [states, runs] of RUNS) lists.push(await listOf(client, states, runs));
  return [
    {
      name: "read by id",
      kind: "read",
      calls: async (count) => cycle(ids, count).map((id) => (session) => session.read(id)),
    },
    ...lists,
    {
      name: "delete by id",
      kind: "write",
      async calls(count) {
        await reference.recordAll(newStates(count));
        const { rows } = await client.query<{ id: string }>(
          "SELECT id FROM task_run_state WHERE task_run_id = $1",
          [SCRATCH_RUN],
        );
        return rows.map(
          ({ id }) =>
            (session) =>
              session.delete(id),
        );
      },
    },
    {
      name: "record 1 state",
      kind: "write",
      calls: async (count) => newStates(count).map((state) => (session) => session.record(state)),
    },
    {
      name: "record 1,000",
      kind: "write",
      calls: async (count) =>
        Array.from({ length: count }, () => {
          const states = newStates(BULK);
          return (session) => session.recordAll(states);
        }),
    },
  ];
}

async function listOf(client: Client, states: number, runs: number): Promise<Operation> {
  const { rows } = await client.query<{ id: string }>(
    `SELECT ${runId(`of ${states}`, "n")} AS id FROM generate_series(0, $1 - 1) n ORDER BY random()`,
    [runs],
  );
  return {
    name: `list of ${states.toLocaleString("en")}`,
    kind: "read",
    calls: async (count) =>
      cycle(rows, count).map(
        ({ id }) =>
          (session) =>
            session.list(id),
      ),
  };
}

const cycle = <T>(items: T[], count: number): T[] =>
  Array.from({ length: Math.ceil(count / items.length) }, () => items)
    .flat()
    .slice(0, count);

/** States as Prefect recorded them, as new ones of the scratch run. */
export function newStates(count: number): NewState[] {
  return cycle(recordedStates, count).map((recorded) => ({
    type: recorded.type,
    name: recorded.name,
    message: recorded.message,
    stateDetails: recorded.state_details,
    data: recorded.data,
    taskRunId: SCRATCH_RUN,
    resultArtifactId: null,
  }));
}
