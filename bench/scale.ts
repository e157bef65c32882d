import { parseArgs } from "node:util";

import { svgOf, writeDocument } from "./lib/chart";
import { withDatabase } from "./lib/database";
import { measureLatency } from "./lib/latency";
import { machine } from "./lib/machine";
import { OPTIONS } from "./lib/options";
import { progress } from "./lib/progress";
import { measureRetention } from "./lib/retention";
import { scaleChart } from "./lib/scale-chart";
import { assertPlans, asText, type ScaleResults } from "./lib/scale-results";
import { createTable, dropTables, schemaOf } from "./lib/scale-table";
import { compareWrites } from "./lib/writes";

const { values: options } = parseArgs({
  options: {
    ...OPTIONS,
    /** Also measures a table of ten million rows: it needs about 15 GB and a quarter of an hour. */
    large: { type: "boolean", default: false },
  },
});

const SIZES = options.quick ? [1e3, 1e4] : [1e4, 1e5, 1e6, ...(options.large ? [1e7] : [])];
/** The size at which writes are compared with the original's table. */
const WRITTEN = options.quick ? 1e4 : 1e6;
const { warmUpRounds, rounds, calls, pruneRounds } = options.quick
  ? { warmUpRounds: 1, rounds: 3, calls: 20, pruneRounds: 1 }
  : { warmUpRounds: 3, rounds: 25, calls: 100, pruneRounds: 7 };

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    for (const rows of SIZES) await createTable(client, url, rows);
    const latency = await measureLatency(client, url, SIZES, { warmUpRounds, rounds, calls });
    const source = `${schemaOf(WRITTEN)}.task_run_state`;
    const writes = await compareWrites(client, url, { source, rows: WRITTEN, warmUpRounds, rounds });
    await dropTables(client, SIZES);
    const retention = {
      random: await measureRetention(client, url, SIZES, "random", pruneRounds),
      "version 7": await measureRetention(client, url, SIZES, "version 7", pruneRounds),
    };
    progress("");
    const results: ScaleResults = {
      machine: await machine(client),
      rounds,
      calls,
      pruneRounds,
      latency,
      retention,
      writes,
    };
    const svg = await svgOf(scaleChart(results)); // Each run shows that the chart can be drawn.
    if (options.plot) writeDocument("bench-scale.svg", svg);
    console.log(options.json ? JSON.stringify(results, null, 2) : asText(results));
    assertPlans(results);
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
