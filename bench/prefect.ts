import { deepEqual } from "node:assert/strict";
import { parseArgs } from "node:util";
import type { Client } from "pg";

import { PrefectUnavailable } from "../dev/prefect/environment";
import { typeormTaskRunState } from "./contenders/typeorm";
import { POOL_SIZE, type Session } from "./lib/contender";
import { fill, runId, withDatabase } from "./lib/database";
import { cycle, shuffled } from "./lib/lists";
import { machine, machineAsText } from "./lib/machine";
import { measure } from "./lib/measure";
import { type OriginalFunctions, openOriginal } from "./lib/original-functions";
import { progress } from "./lib/progress";
import { quotients, spreadOf } from "./lib/statistics";
import { asTable, grouped, spread } from "./lib/text";

const CALLERS = 16;
const RUNS = 2000;
/** As many as a task run has that was retried twice. */
const STATES = 7;

const { values: options } = parseArgs({
  options: {
    /** A few short rounds: they show that it works, not how fast it is. */
    quick: { type: "boolean", default: false },
  },
});

/** The numbers of calls let both sides be at work for about as long. */
const { warmUpRounds, rounds, calls } = options.quick
  ? { warmUpRounds: 1, rounds: 3, calls: { original: 16, module: 160 } }
  : { warmUpRounds: 2, rounds: 11, calls: { original: 480, module: 4800 } };

interface Operation {
  title: string;
  name: "read" | "list";
  ids: string[];
  original: number[];
  module: number[];
}

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    const original = await openOriginal(url);
    const module = await typeormTaskRunState.open(url);
    try {
      const operations = await prepare(client);
      for (const operation of operations) await assertAgreement(operation, original, module);
      await measureInTurns(operations, original, module);
      console.log(`${machineAsText(await machine(client))}; ${original.versions}\n${asText(operations)}`);
    } finally {
      await module.close();
      original.close();
    }
  });
}

async function prepare(client: Client): Promise<Operation[]> {
  await client.query(
    `INSERT INTO task_run (id, name, task_key, dynamic_key)
     SELECT ${runId("run", "n")}, 'a task run', 'a task', n FROM generate_series(0, $1::int - 1) n`,
    [RUNS],
  );
  await fill(client, { runs: RUNS, states: STATES });
  await client.query("VACUUM (ANALYZE) task_run_state");
  const { rows: states } = await client.query("SELECT id FROM task_run_state");
  const { rows: runs } = await client.query("SELECT DISTINCT task_run_id AS id FROM task_run_state");
  const operation = (title: string, name: Operation["name"], rows: { id: string }[]): Operation => ({
    title,
    name,
    ids: rows.map(({ id }) => id),
    original: [],
    module: [],
  });
  return [operation("by id", "read", states), operation(`list of ${STATES}`, "list", runs)];
}

async function assertAgreement(
  { name, ids }: Operation,
  original: OriginalFunctions,
  module: Session,
): Promise<void> {
  for (const id of shuffled(ids).slice(0, 20)) {
    const { found } = await original.make({ name, ids: [id], callers: 1 });
    const states = [await module[name](id)].flat();
    deepEqual(
      states.map((state) => state?.id),
      found,
    );
  }
}

async function measureInTurns(
  operations: Operation[],
  original: OriginalFunctions,
  module: Session,
): Promise<void> {
  for (let round = -warmUpRounds; round < rounds; round++) {
    progress(round < 0 ? "warming up" : `round ${round + 1} of ${rounds}`);
    for (const operation of operations) {
      const { name } = operation;
      const ids = (count: number) => cycle(shuffled(operation.ids), count);
      const turns = [
        async () => {
          const made = await original.make({ name, ids: ids(calls.original), callers: CALLERS });
          if (round >= 0) operation.original.push(made.throughput);
        },
        async () => {
          const made = await measure(ids(calls.module), CALLERS, (id) => module[name](id));
          if (round >= 0) operation.module.push(made.throughput);
        },
      ];
      for (const turn of shuffled(turns)) await turn();
    }
  }
  progress("");
}

function asText(operations: Operation[]): string {
  const row = (title: string, cell: (operation: Operation) => string) => [title, ...operations.map(cell)];
  return `${CALLERS} callers, a pool of ${POOL_SIZE} connections each, ${rounds} rounds. Medians; in brackets the middle half of the rounds.

${asTable([
  row("calls a second", ({ title }) => title),
  row("Prefect's functions", ({ original }) => grouped(spreadOf(original).median)),
  row("this module", ({ module }) => grouped(spreadOf(module).median)),
  row("this module : Prefect's functions", ({ original, module }) =>
    spread(spreadOf(quotients(module, original)), 1),
  ),
])}

The rows, the table with all its indexes, and the server are the same. What differs is the way from a row to an object:
another language, another driver and another ORM, and a session for each call, as Prefect's routes have one.`;
}

main().catch((error) => {
  console.error(error instanceof PrefectUnavailable ? error.message : error);
  process.exitCode = 1;
});
