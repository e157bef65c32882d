import type { RunIds } from "./database";
import { ACCESSES, type Latency, METHODS } from "./latency";
import { type Machine, machineAsText } from "./machine";
import { FINDS, type Finds, RUN_IDS } from "./retention";
import type { Timing } from "./scale-table";
import { asTable, grouped, spread } from "./text";
import type { TableFigures, WriteComparison } from "./writes";

/** What `--json` prints. */
export interface ScaleResults {
  machine: Machine;
  rounds: number;
  /** In each round, of each method, on each table, for each kind of access. */
  calls: number;
  /** Of retention. */
  pruneRounds: number;
  latency: Latency;
  retention: Record<RunIds, Timing<Finds>[]>;
  writes: WriteComparison;
}

export function assertPlans({ latency }: ScaleResults): void {
  const faults = latency.plans.flatMap(({ rows, method, plan }) =>
    plan.faults.map((fault) => `${method}, ${rows} rows: ${fault}`),
  );
  if (faults.length > 0) throw new Error(`Plans that will not scale:\n${faults.join("\n")}`);
}

export function asText({
  machine,
  rounds,
  calls,
  pruneRounds,
  latency,
  retention,
  writes,
}: ScaleResults): string {
  return `${machineAsText(machine)}
One caller, ${rounds} rounds. Medians; in brackets the middle half of the rounds.

${ACCESSES.map((access) => {
  const rows =
    access === "working set" ? `the same ${calls} of each again and again` : "any row of the table";
  return timingTables(`Time of a call, µs: ${rows}`, latency.timings[access], METHODS, 0);
}).join("\n\n")}

Plans, from the outside in

${latency.plans
  .map(({ rows, method, plan: { text, pages, pagesRead } }) => {
    return `${method}, ${grouped(rows)} rows: ${text}; ${pages} pages, ${pagesRead} of them not in PostgreSQL's memory`;
  })
  .join("\n")}

${RUN_IDS.map((runIds) => {
  const title = `Retention: time to prune the table, for each of its task runs, µs; ids of task runs: ${runIds}; ${pruneRounds} rounds`;
  return timingTables(title, retention[runIds], FINDS, 1);
}).join("\n\n")}

Writing to ${grouped(writes.rows)} rows: this module's table and the original's

${asTable([
  ["", "here", "original", "original : here"],
  figures("table, MB", writes, ({ tableBytes }) => tableBytes / 1e6),
  figures("indexes, MB", writes, ({ indexBytes }) => sum(Object.values(indexBytes)) / 1e6),
  ...indexRows("here", writes.here),
  ...indexRows("original", writes.original),
  figures("write-ahead log for a state, bytes", writes, ({ walBytesPerState }) => walBytesPerState),
  [
    "all rows loaded, rows a second",
    grouped(writes.here.loadedRowsPerSecond),
    grouped(writes.original.loadedRowsPerSecond),
    `${writes.advantage.loading.toFixed(2)} times the time`,
  ],
  [
    "1,000 states in one statement, ms",
    spread(writes.here.recordingMilliseconds, 1),
    spread(writes.original.recordingMilliseconds, 1),
    spread(writes.advantage.recording, 2),
  ],
  [
    "1,000 states by manager.insert, ms",
    spread(writes.here.insertingMilliseconds, 1),
    spread(writes.original.insertingMilliseconds, 1),
    spread(writes.advantage.inserting, 2),
  ],
])}`;
}

/** The times, and the same as multiples of the reference's. */
function timingTables<What extends string>(
  title: string,
  timings: Timing<What>[],
  whats: readonly What[],
  digits: number,
): string {
  const sizes = [...new Set(timings.map(({ rows }) => rows))];
  const table = (cell: (timing: Timing<What>) => string) =>
    asTable([
      ["rows", ...whats],
      ...sizes.map((rows) => [grouped(rows), ...timings.filter((timing) => timing.rows === rows).map(cell)]),
    ]);
  return `${title}

${table(({ microseconds }) => spread(microseconds, digits))}

The same, ${grouped(timings[0]?.reference ?? 0)} rows = 1.00

${table(({ againstReference }) => spread(againstReference, 2))}`;
}

function figures(
  name: string,
  { here, original }: WriteComparison,
  figure: (table: TableFigures) => number,
): string[] {
  const [a, b] = [figure(here), figure(original)];
  return [name, a.toFixed(0), b.toFixed(0), (b / a).toFixed(2)];
}

const indexRows = (side: "here" | "original", { indexBytes }: TableFigures): string[][] =>
  Object.entries(indexBytes).map(([name, bytes]) => {
    const megabytes = (bytes / 1e6).toFixed(0);
    return [`  ${name}`, side === "here" ? megabytes : "", side === "original" ? megabytes : "", ""];
  });

const sum = (figures: number[]): number => figures.reduce((a, b) => a + b, 0);
