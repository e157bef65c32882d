import type { RunIds } from "./database";
import { ACCESSES, METHODS, type TableResult, type Timing } from "./latency";
import { type Machine, machineAsText } from "./machine";
import { FINDS, type PruneTiming, type RetentionResult, RUN_IDS, referenceOf } from "./retention";
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
  tables: TableResult[];
  retention: Record<RunIds, RetentionResult[]>;
  writes: WriteComparison;
}

export function assertPlans({ tables }: ScaleResults): void {
  const faults = tables.flatMap(({ rows, methods }) =>
    METHODS.flatMap((method) =>
      methods[method].plan.faults.map((fault) => `${method}, ${rows} rows: ${fault}`),
    ),
  );
  if (faults.length > 0) throw new Error(`Plans that will not scale:\n${faults.join("\n")}`);
}

export function asText({
  machine,
  rounds,
  calls,
  pruneRounds,
  tables,
  retention,
  writes,
}: ScaleResults): string {
  const smallest = grouped(tables[0]?.rows ?? 0);
  return `${machineAsText(machine)}
One caller, ${rounds} rounds. Medians; in brackets the middle half of the rounds.

${ACCESSES.map((access) => {
  const table = (cell: (timing: Timing) => string) =>
    asTable([
      ["rows", ...METHODS],
      ...tables.map(({ rows, methods }) => [
        grouped(rows),
        ...METHODS.map((method) => cell(methods[method][access])),
      ]),
    ]);
  const title =
    access === "working set" ? `the same ${calls} of each again and again` : "any row of the table";
  return `Time of a call, µs: ${title}

${table(({ microseconds }) => spread(microseconds, 0))}

The same, ${smallest} rows = 1.00

${table(({ againstSmallest }) => spread(againstSmallest, 2))}`;
}).join("\n\n")}

Plans, from the outside in

${METHODS.map((method) =>
  [
    method,
    ...tables.map(({ rows, methods }) => {
      const { text, pages, pagesRead } = methods[method].plan;
      return `  ${grouped(rows).padStart(10)} rows: ${text}; ${pages} pages, ${pagesRead} of them not in PostgreSQL's memory`;
    }),
  ].join("\n"),
).join("\n")}

${RUN_IDS.map((runIds) => {
  const results = retention[runIds];
  const table = (cell: (timing: PruneTiming) => string) =>
    asTable([
      ["rows", ...FINDS],
      ...results.map(({ rows, timings }) => [grouped(rows), ...FINDS.map((finds) => cell(timings[finds]))]),
    ]);
  return `Retention: time to prune the table, for each of its task runs, µs; ids of task runs: ${runIds}; ${pruneRounds} rounds

${table(({ microseconds }) => spread(microseconds, 1))}

The same, ${grouped(referenceOf(results)?.rows ?? 0)} rows = 1.00

${table(({ againstReference }) => spread(againstReference, 2))}`;
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
