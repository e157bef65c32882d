import type { Client } from "pg";

import { fill, runId } from "./database";
import { idsOf } from "./operations";
import { inRounds } from "./rounds";
import { type Spread, spreadOf } from "./statistics";
import { startWorker, type Worker, withWorkers } from "./worker";

export interface Memory {
  states: number;
  /** By how many a list of so many states makes a fresh process grow, for each contender. */
  megabytes: Record<string, Spread>;
}

const CONTENDERS = [
  "pg by hand",
  "this module",
  "this module, prepared",
  "TypeORM",
  "TypeORM on this client",
];

export async function measureMemory(
  client: Client,
  url: string,
  { states, rounds }: { states: number; rounds: number },
): Promise<Memory> {
  await fill(client, { group: "memory", runs: 1, states });
  const inputs = await idsOf(client, `SELECT ${runId("memory", "0")} AS id`);
  const grown = await inRounds("memory", { warmUpRounds: 0, rounds }, [CONTENDERS], async (name) => {
    const started = [{ name, child: startWorker(name, url) }];
    return withWorkers(started, (workers) =>
      Promise.all(workers.map(({ worker }) => growth(worker, inputs, states))),
    );
  });
  return {
    states,
    megabytes: Object.fromEntries([...grown].map(([name, each]) => [name, spreadOf(each.flat())])),
  };
}

async function growth(worker: Worker, inputs: string[], states: number): Promise<number> {
  const list = { method: "list", callers: 1, milliseconds: Number.MAX_VALUE } as const;
  const before = await worker.measure({ ...list, inputs: [] });
  const after = await worker.measure({ ...list, inputs });
  if (after.states !== states) throw new Error(`The list has ${after.states} states, not ${states}`);
  return (after.peakMemory - before.peakMemory) / 1e6;
}
