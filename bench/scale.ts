import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";

import { withDatabase } from "./lib/database";
import {
  ACCESSES,
  createTable,
  METHODS,
  measureLatency,
  schemaOf,
  type TableResult,
  type Timing,
} from "./lib/latency";
import { type Machine, machine, machineAsText } from "./lib/machine";
import { lineChart } from "./lib/plot";
import { progress } from "./lib/progress";
import { asTable } from "./lib/results";
import type { Spread } from "./lib/statistics";
import { compareWrites, type TableFigures, type WriteComparison } from "./lib/writes";

/** What `--json` prints. */
export interface ScaleResults {
  machine: Machine;
  rounds: number;
  tables: TableResult[];
  writes: WriteComparison;
}

const { values: options } = parseArgs({
  options: {
    /** Small tables and a few rounds: they show that it works, not how fast it is. */
    quick: { type: "boolean", default: false },
    /** A table of ten million rows too: about 12 GB, and some minutes more. */
    large: { type: "boolean", default: false },
    /** Prints JSON instead of tables. */
    json: { type: "boolean", default: false },
    /** Writes the chart too. */
    plot: { type: "boolean", default: false },
  },
});

const SIZES = options.quick ? [1e3, 1e4] : [1e4, 1e5, 1e6, ...(options.large ? [1e7] : [])];
/** The size at which writes are compared with the original's table. */
const WRITTEN = options.quick ? 1e4 : 1e6;
const { warmUpRounds, rounds, calls } = options.quick
  ? { warmUpRounds: 1, rounds: 3, calls: 20 }
  : { warmUpRounds: 3, rounds: 25, calls: 100 };

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    for (const rows of SIZES) {
      progress(`loading ${rows.toLocaleString("en")} rows`);
      await createTable(client, url, rows);
    }
    const tables = await measureLatency(client, url, SIZES, { warmUpRounds, rounds, calls });
    const source = `${schemaOf(WRITTEN)}.task_run_state`;
    const writes = await compareWrites(client, url, { source, rows: WRITTEN, warmUpRounds, rounds });
    progress("");
    const results = { machine: await machine(client), rounds, tables, writes };
    if (options.plot) writeFileSync(join(__dirname, "../docs/bench-scale.svg"), lineChart(results));
    console.log(options.json ? JSON.stringify(results, null, 2) : asText(results));
    assertPlans(tables);
  });
}

function assertPlans(tables: TableResult[]): void {
  const faults = tables.flatMap(({ rows, methods }) =>
    METHODS.flatMap((method) =>
      methods[method].plan.faults.map((fault) => `${method}, ${rows} rows: ${fault}`),
    ),
  );
  if (faults.length > 0) throw new Error(`Plans that will not scale:\n${faults.join("\n")}`);
}

function asText({ machine, rounds, tables, writes }: ScaleResults): string {
  const count = (rows: number) => rows.toLocaleString("en");
  const smallest = count(tables[0]?.rows ?? 0);
  return `${machineAsText(machine)}
One caller, ${rounds} rounds. Medians; in brackets the middle half of the rounds.

${ACCESSES.map((access) => {
  const table = (cell: (timing: Timing) => string) =>
    asTable([
      ["rows", ...METHODS],
      ...tables.map(({ rows, methods }) => [
        count(rows),
        ...METHODS.map((method) => cell(methods[method][access])),
      ]),
    ]);
  const title =
    access === "working set" ? `the same ${calls} of each again and again` : "any row of the table";
  return `Waiting for a call, µs: ${title}

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
      return `  ${count(rows).padStart(10)} rows: ${text}; ${pages} pages, ${pagesRead} of them not in PostgreSQL's memory`;
    }),
  ].join("\n"),
).join("\n")}

Writing to ${count(writes.rows)} rows: this module's table and the original's

${asTable([
  ["", "here", "original", "original : here"],
  figures("table, MB", writes, ({ tableBytes }) => tableBytes / 1e6),
  figures("indexes, MB", writes, ({ indexBytes }) => sum(Object.values(indexBytes)) / 1e6),
  ...indexRows("here", writes.here),
  ...indexRows("original", writes.original),
  figures("write-ahead log for a state, bytes", writes, ({ walBytesPerState }) => walBytesPerState),
  [
    "all rows loaded, rows a second",
    count(Math.round(writes.here.loadedRowsPerSecond)),
    count(Math.round(writes.original.loadedRowsPerSecond)),
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

const spread = ({ median, low, high }: Spread, digits: number): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)} ${high.toFixed(digits)}]`;

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
