import { deepEqual, equal, ok } from "node:assert/strict";

import type { ByFunctions } from "./by-functions";
import { differences, parsed, type StateJson } from "./differences";
import { type Answer, ask, assertNone, type Live, python } from "./live";

const UNKNOWN = "00000000-0000-4000-8000-000000000000";

const MALFORMED_ID = "/task_run_states/malformed";

const WITHOUT_STATES = [
  `/task_run_states/${UNKNOWN}`,
  MALFORMED_ID,
  `/task_run_states/?task_run_id=${UNKNOWN}`,
  "/task_run_states/",
  "/task_run_states/?task_run_id=malformed",
  "/task_run_states/?task_run_id=",
];

/** Asks the host what Prefect's server is asked: by Prefect's client, by each route, and for what there is not. */
export async function askOverHttp(
  live: Live,
  { states, lists, default_details }: ByFunctions,
): Promise<string> {
  const [ids, runs] = [Object.keys(states), Object.keys(lists)];
  const listed = await listByClient(live, runs);
  equal(listed, ids.length);
  for (const id of ids) await compareRoute(live, `/task_run_states/${id}`, default_details);
  for (const run of runs) await compareRoute(live, `/task_run_states/?task_run_id=${run}`, default_details);
  for (const path of WITHOUT_STATES) await compareRefusal(live, path);
  const answers = ids.length + runs.length;
  return (
    `${runs.length} lists of ${listed} states by Prefect's client, ${answers} answers of the routes with their keys ` +
    `in order, ${WITHOUT_STATES.length} requests without a state: 0 differences`
  );
}

/** Returns the number of states. */
async function listByClient(live: Live, runs: string[]): Promise<number> {
  const { servers, equal: areEqual } = await python<{
    servers: [StateJson[][], StateJson[][]];
    equal: boolean[];
  }>(live, "client", live.hostUrl, live.prefect.url, ...runs);
  assertNone(differences(servers[0], servers[1]));
  ok(areEqual.length === runs.length && areEqual.every(Boolean));
  return servers[0].flat().length;
}

async function compareRoute({ hostUrl, prefect }: Live, path: string, defaultDetails: object): Promise<void> {
  const [ours, theirs] = [await ask(hostUrl, path), await ask(prefect.url, path)];
  deepEqual([ours.status, theirs.status], [200, 200]);
  const [ourStates, theirStates] = [statesOf(ours), statesOf(theirs)];
  equal(ourStates.length, theirStates.length);
  for (const [index, state] of ourStates.entries()) {
    const original = theirStates[index] ?? {};
    deepEqual(Object.keys(state), Object.keys(original));
    assertNone(differences(parsed(state, defaultDetails), original));
  }
}

const statesOf = ({ body }: Answer): StateJson[] => [body].flat() as StateJson[];

async function compareRefusal({ hostUrl, prefect, major }: Live, path: string): Promise<void> {
  const [ours, theirs] = [await ask(hostUrl, path), await ask(prefect.url, path)];
  if (major === 2 && path === MALFORMED_ID) {
    deepEqual([ours.status, theirs.status], [404, 422]); // The host answers as Prefect 3 does.
  } else {
    deepEqual(inWordsOf(theirs, ours), inWordsOf(theirs, theirs), path);
  }
}

/**
 * Of what is wrong with a request, the wording is that of Prefect's parser. That of Prefect 2 has types of its own, and
 * does not repeat the input.
 */
function inWordsOf(original: Answer, { status, body }: Answer): Answer {
  if (status !== 422) return { status, body };
  const [{ input: repeated } = {}] = faultsOf(original);
  const faults = faultsOf({ status, body }).map(({ type, loc, input }) =>
    repeated === undefined ? { loc } : { type, loc, input },
  );
  return { status, body: { ...(body as object), exception_detail: faults } };
}

function faultsOf({ body }: Answer): Record<string, unknown>[] {
  return (body as { exception_detail?: Record<string, unknown>[] }).exception_detail ?? [];
}
