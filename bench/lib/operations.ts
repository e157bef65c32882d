import type { Client } from "pg";
import { uuidv7 } from "uuidv7";

import { recordedStates } from "../../dev/prefect/history";
import type { NewState, Session } from "./contender";
import { fill, runId } from "./database";
import { cycle, shuffled } from "./lists";
import { grouped } from "./text";

/** Something to measure. */
export interface Operation {
  name: string;
  kind: "read" | "write";
  /** Prepares so many calls. This happens for each contender in each round, outside the measured time. */
  calls(count: number): Promise<((session: Session) => Promise<unknown>)[]>;
}

/** How many task runs with so many states the table holds. */
const RUNS = new Map([
  [3, 2000],
  [10, 5000],
  [100, 100],
  [1000, 10],
]);

/** The task run to which all written states belong. `tidyTable` removes them. */
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
  const ids = await column(client, "SELECT id FROM task_run_state ORDER BY random() LIMIT 5000");
  const lists: Operation[] = [];
  for (const [states, runs] of RUNS) {
    const run = runId(`of ${states}`, "n");
    const taskRunIds = await column(client, `SELECT ${run} AS id FROM generate_series(0, ${runs - 1}) n`);
    lists.push(
      operation(
        `list of ${grouped(states)}`,
        "read",
        (count) => shuffled(cycle(taskRunIds, count)),
        (session, taskRunId) => session.list(taskRunId),
      ),
    );
  }
  return [
    operation(
      "read by id",
      "read",
      (count) => shuffled(cycle(ids, count)),
      (session, id) => session.read(id),
    ),
    ...lists,
    operation(
      "delete by id",
      "write",
      async (count) => {
        await reference.recordAll(newStates(count));
        return column(client, `SELECT id FROM task_run_state WHERE task_run_id = '${SCRATCH_RUN}'`);
      },
      (session, id) => session.delete(id),
    ),
    operation("record 1 state", "write", newStates, (session, state) => session.record(state)),
    operation(
      "record 1,000",
      "write",
      (count) => Array.from({ length: count }, () => newStates(1000)),
      (session, states) => session.recordAll(states),
    ),
  ];
}

function operation<T>(
  name: string,
  kind: Operation["kind"],
  inputs: (count: number) => T[] | Promise<T[]>,
  call: (session: Session, input: T) => Promise<unknown>,
): Operation {
  return {
    name,
    kind,
    async calls(count) {
      return (await inputs(count)).map((input) => (session) => call(session, input));
    },
  };
}

/** The ids that a query finds. */
async function column(client: Client, sql: string): Promise<string[]> {
  const { rows } = await client.query<{ id: string }>(sql);
  return rows.map(({ id }) => id);
}

/** New states of the scratch run, with the contents that Prefect recorded. */
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
