import { parseArgs } from "node:util";
import type { Client } from "pg";
import { drizzle } from "./contenders/drizzle";
import { kysely } from "./contenders/kysely";
import { mikroOrm } from "./contenders/mikro-orm";
import { pg, pgPrepared } from "./contenders/pg";
import { prisma } from "./contenders/prisma";
import { sequelize } from "./contenders/sequelize";
import { typeorm, typeormTaskRunState, typeormTaskRunStatePrepared } from "./contenders/typeorm";
import { assertAgreement } from "./lib/agreement";
import { benchChart } from "./lib/bench-chart";
import { asText, type BenchResults, type Rounds, resultsOf, versionOf } from "./lib/bench-results";
import { svgOf, writeDocument } from "./lib/chart";
import { type Contender, POOL_SIZE, type Session } from "./lib/contender";
import { migrate, withDatabase } from "./lib/database";
import { shuffled } from "./lib/lists";
import { machine } from "./lib/machine";
import { measure } from "./lib/measure";
import { operationsOn, prepareTable, tidyTable } from "./lib/operations";
import { OPTIONS } from "./lib/options";
import { progress, roundName } from "./lib/progress";

const REFERENCE = pg;
const CONTENDERS = [
  pg,
  pgPrepared,
  typeormTaskRunState,
  typeormTaskRunStatePrepared,
  typeorm,
  kysely,
  drizzle,
  sequelize,
  mikroOrm,
  prisma,
];
const CALLERS = 16;

const { values: options } = parseArgs({ options: OPTIONS });

/** How many rounds, and how long the reference works on each operation in a round. */
const { warmUpRounds, rounds, milliseconds } = options.quick
  ? { warmUpRounds: 1, rounds: 3, milliseconds: 5 }
  : { warmUpRounds: 2, rounds: 11, milliseconds: 240 };

async function main(): Promise<void> {
  await withDatabase(async (client, url) => {
    await migrate(url);
    await prepareTable(client);
    const sessions = new Map<Contender, Session>();
    try {
      for (const contender of CONTENDERS) sessions.set(contender, await contender.open(url));
      const results = await measureAll(client, sessions);
      const svg = await svgOf(benchChart(results)); // Each run shows that the chart can be drawn.
      if (options.plot) writeDocument("bench.svg", svg);
      console.log(options.json ? JSON.stringify(results, null, 2) : asText(results));
    } finally {
      for (const session of sessions.values()) await session.close();
    }
  });
}

async function measureAll(client: Client, sessions: Map<Contender, Session>): Promise<BenchResults> {
  const reference = sessions.get(REFERENCE);
  if (!reference) throw new Error("The reference is not among the contenders");
  const operations = await operationsOn(client, reference);
  for (const [contender, session] of sessions) {
    progress(`checking ${contender.name}`);
    await assertAgreement(session, reference, operations).catch((cause) => {
      throw new Error(`${contender.name} disagrees with ${REFERENCE.name}`, { cause });
    });
  }

  const entries = operations.map((operation) => ({ operation, calls: 4, measured: emptyRounds() }));
  for (let round = -warmUpRounds; round < rounds; round++) {
    for (const entry of entries) {
      const { operation, measured } = entry;
      progress(`${roundName(round, rounds)}: ${operation.name}`);
      for (const [contender, session] of shuffled([...sessions])) {
        const run = async (calls: number) =>
          measure(await operation.calls(calls), CALLERS, (call) => call(session));
        await run(Math.ceil(entry.calls / 3)); // V8 may have dropped what it compiled for the contender's last turn.
        const measurement = await run(entry.calls);
        if (round >= 0) measured.get(contender)?.push(measurement);
        else if (contender === REFERENCE)
          entry.calls = Math.max(entry.calls, callsFor(measurement.throughput));
        if (operation.kind === "write") await tidyTable(client);
      }
    }
  }
  progress("");
  return {
    machine: await machine(client),
    callers: CALLERS,
    pool: POOL_SIZE,
    rounds,
    contenders: CONTENDERS.map((contender) => ({ name: contender.name, version: versionOf(contender) })),
    operations: entries.map(({ operation: { name, kind }, calls, measured }) => ({
      name,
      kind,
      callsPerRound: calls,
      results: resultsOf(measured, REFERENCE, typeormTaskRunState),
    })),
  };
}

const emptyRounds = (): Rounds => new Map(CONTENDERS.map((contender) => [contender, []]));

/** The same number of calls for each caller, if there are enough for that. */
function callsFor(throughput: number): number {
  const calls = (throughput * milliseconds) / 1000;
  return calls < CALLERS ? Math.max(2, Math.round(calls)) : Math.round(calls / CALLERS) * CALLERS;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
