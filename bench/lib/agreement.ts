import { deepStrictEqual } from "node:assert";

import { newStates, SCRATCH_RUN } from "./new-states";
import { isWrite, type Operation } from "./operations";
import type { Worker } from "./worker";

const UNKNOWN = "019abd2c-7e00-7000-8000-ffffffffffff";

interface Stored {
  id: string;
}

/**
 * Fails unless the contender returns the same values as the reference, and stores and deletes the same rows. What it leaves
 * belongs to the scratch run.
 */
export async function assertAgreement(
  worker: Worker,
  reference: Worker,
  operations: Operation[],
): Promise<void> {
  for (const { method, inputs } of operations.filter((operation) => !isWrite(operation))) {
    if (!worker.methods.includes(method)) continue;
    for (const input of inputs.slice(0, 10)) {
      const answers = [await worker.call(method, input), await reference.call(method, input)];
      const [answer, expected] = method === "latest" ? answers.map(byId) : answers;
      deepStrictEqual(answer, expected);
    }
  }
  deepStrictEqual(await worker.call("read", UNKNOWN), null);
  deepStrictEqual(await worker.call("list", UNKNOWN), []);
  if (!worker.methods.includes("record")) return;

  for (const number of Array(20).keys()) {
    const stored = (await worker.call("record", number)) as Stored;
    deepStrictEqual([given(stored)], newStates(number, 1));
    deepStrictEqual(stored, await reference.call("read", stored.id));
    deepStrictEqual(await worker.call("delete", stored.id), true);
    deepStrictEqual(await worker.call("delete", stored.id), false);
    deepStrictEqual(await reference.call("read", stored.id), null);
  }
  const stored = byId(await worker.call("recordAll", 0));
  deepStrictEqual(stored.map(given), newStates(0, 1000));
  deepStrictEqual(stored, byId(await reference.call("list", SCRATCH_RUN)));
}

/** What was given when the state was recorded. */
function given(stored: object): object {
  const { id, created, updated, timestamp, ...rest } = stored as Record<string, unknown>;
  return rest;
}

/** Their ids rise in the order in which they were recorded. */
const byId = (states: unknown): Stored[] => (states as Stored[]).toSorted((a, b) => a.id.localeCompare(b.id));
