import { parseArgs } from "node:util";

import { svgOf, writeDocument } from "./lib/chart";
import { withDatabase } from "./lib/database";
import { createTable, dropTables, measureLatency, schemaOf } from "./lib/latency";
import { machine } from "./lib/machine";
import { OPTIONS } from "./lib/options";
import { progress } from "./lib/progress";
import { measureRetention } from "./lib/retention";
import { scaleChart } from "./lib/scale-chart";
import { assertPlans, asText, type ScaleResults } from "./lib/scale-results";
import { compareWrites } from "./lib/writes";

const { values: options } = parseArgs({
  options: {
    ...OPTIONS,
    /** Also measures a table of ten million rows: it needs about 12 GB and some minutes more. */
    large: { type: "boolean", default: false },
  },
});

const SIZES = options.quick ? [1e3, 1e4] : [1e4, 1e5, 1e6, ...(options.large ? [1e7] : [])];
/** The size at which writes are compared with the original's table. */
const WRITTEN = options.quick ? 1e4 : 1e6;
const { warmUpRounds, rounds, calls, prunes } = options.quick
  ? { warmUpRounds: 1, rounds: 3, calls: 20, prunes: 1 }
  : { warmUpRounds: 3, rounds: 25, calls: 100, prunes: 7 };

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    for (const rows of SIZES) await createTable(client, url, rows);
    const tables = await measureLatency(client, url, SIZES, { warmUpRounds, rounds, calls });
    const source = `${schemaOf(WRITTEN)}.task_run_state`;
    const writes = await compareWrites(client, url, { source, rows: WRITTEN, warmUpRounds, rounds });
    await dropTables(client, SIZES);
    const retention = {
      random: await measureRetention(client, url, SIZES, "random", prunes),
      "version 7": await measureRetention(client, url, SIZES, "version 7", prunes),
    };
    progress("");
    const results: ScaleResults = {
      machine: await machine(client),
      rounds,
      calls,
      tables,
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
