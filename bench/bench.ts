import { parseArgs } from "node:util";
import type { Client } from "pg";

import { PrefectUnavailable } from "../scripts/prefect/environment";
import { CONTENDERS, versionOf } from "./contenders";
import { startPrefectFunctions } from "./contenders/prefect";
import { assertAgreement } from "./lib/agreement";
import { benchChart } from "./lib/bench-chart";
import { asText, type BenchResults, REFERENCE } from "./lib/bench-results";
import { svgOf, writeDocument } from "./lib/chart";
import { compareOnCitus } from "./lib/citus";
import { compare, type Result } from "./lib/comparison";
import { POOL_SIZE } from "./lib/contender";
import { migrate, withDatabase } from "./lib/database";
import { compareLayouts, preparePartitions } from "./lib/layouts";
import { machine } from "./lib/machine";
import { measureMemory } from "./lib/memory";
import { BULK_CALLERS, CALLERS, prepareOperations, tidy } from "./lib/operations";
import { OPTIONS } from "./lib/options";
import { progress } from "./lib/progress";
import { type Started, startWorker, withWorkers } from "./lib/worker";

const { CITUS_URL } = process.env;
const { values: options } = parseArgs({ options: OPTIONS });

/** How much of the data is filled in, how long the calls are measured, and what list shows the memory. */
const { scale, effort, memory } = options.quick
  ? {
      scale: 0.1,
      effort: { warmUpRounds: 0, rounds: 2, milliseconds: 5 },
      memory: { states: 2000, rounds: 1 },
    }
  : {
      scale: 1,
      effort: { warmUpRounds: 1, rounds: 7, milliseconds: 500 },
      memory: { states: 200_000, rounds: 3 },
    };

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    await migrate(url);
    const contenders = [
      ...CONTENDERS.map((contender) => ({
        name: contender.name,
        version: versionOf(contender),
        child: startWorker(contender.name, url),
      })),
      ...prefectFunctions(url),
    ];
    const results: BenchResults = {
      machine: await machine(client),
      callers: CALLERS,
      bulkCallers: BULK_CALLERS,
      pool: POOL_SIZE,
      rounds: effort.rounds,
      versions: Object.fromEntries(contenders.map(({ name, version }) => [name, version])),
      calls: await compareContenders(client, contenders),
      layouts: await compareLayouts(client, await preparePartitions(client, url, 12_000 * scale), effort),
      citus: CITUS_URL ? await compareOnCitus(CITUS_URL, 3000 * scale, effort) : [],
      memory: await measureMemory(client, url, memory),
    };
    const svg = await svgOf(benchChart(results)); // Each run shows that the chart can be drawn.
    if (options.plot) writeDocument("bench.svg", svg);
    console.log(options.json ? JSON.stringify(results, null, 2) : asText(results));
  });
}

/** None where this machine lacks what Prefect needs. */
function prefectFunctions(url: string) {
  try {
    return [startPrefectFunctions(url)];
  } catch (error) {
    if (!(error instanceof PrefectUnavailable)) throw error;
    console.error(`Prefect's functions did not run: ${error.message}`);
    return [];
  }
}

async function compareContenders(client: Client, started: Started[]): Promise<Result[]> {
  return withWorkers(started, async (workers) => {
    const operations = await prepareOperations(client, scale);
    const participants = workers.map((each) => ({ ...each, schema: "public", operations }));
    const reference = participants.find(({ name }) => name === REFERENCE);
    if (!reference) throw new Error(`${REFERENCE} is not among the contenders`);
    for (const { name, worker } of participants) {
      progress(`checking ${name}`);
      await assertAgreement(worker, reference.worker, operations).catch((cause) => {
        throw new Error(`${name} disagrees with ${REFERENCE}`, { cause });
      });
      await tidy(client, "public");
    }
    return compare("calls", client, participants, effort);
  });
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
