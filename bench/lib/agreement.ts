import { deepStrictEqual } from "node:assert";
import { uuidv7 } from "uuidv7";

import type { Session } from "./contender";
import { newStates, type Operation } from "./operations";

const UNKNOWN = uuidv7();

/** Fails unless the contender returns the same values as the reference, and stores and deletes the same rows. */
export async function assertAgreement(
  session: Session,
  reference: Session,
  operations: Operation[],
): Promise<void> {
  for (const { calls } of operations.filter(({ kind }) => kind === "read")) {
    for (const call of await calls(10)) {
      deepStrictEqual(plain(await call(session)), plain(await call(reference)));
    }
  }
  deepStrictEqual(await session.read(UNKNOWN), null);
  deepStrictEqual(await session.list(UNKNOWN), []);

  const states = newStates(20);
  for (const state of states) {
    const stored = { ...(await session.record(state)) };
    const { id, created, updated, timestamp, ...given } = stored;
    deepStrictEqual(given, state);
    deepStrictEqual(stored, await reference.read(id));
    deepStrictEqual(await session.delete(id), true);
    deepStrictEqual(await session.delete(id), false);
    deepStrictEqual(await reference.read(id), null);
  }
  await session.recordAll(states);
  const stored = await reference.list(states[0]?.taskRunId ?? "");
  deepStrictEqual(
    stored.map(({ id, created, updated, timestamp, ...given }) => given),
    states,
  );
  for (const { id } of stored) await reference.delete(id);
}

function plain(found: unknown): unknown {
  if (Array.isArray(found)) return found.map(plain);
  return found instanceof Object ? { ...found } : found;
}
