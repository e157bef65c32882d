import { deepEqual, equal } from "node:assert/strict";

import type { ByFunctions } from "./by-functions";
import { differences, parsed, type StateJson } from "./differences";
import { ask, assertNone, type Live, python, send, service } from "./live";

/** What `orchestration.py` returns. */
interface SetStates {
  task_run_id: string;
  states: StateJson[];
}

/** Reads through the host what Prefect's orchestration has set, and deletes it where Prefect's server goes on working. */
export async function setAndDelete(live: Live, { default_details }: ByFunctions): Promise<string> {
  const { prefect, hostUrl, dataSource } = live;
  const { task_run_id: run, states } = await python<SetStates>(live, "orchestration");
  const list = `/task_run_states/?task_run_id=${run}`;
  const { body: listed } = await ask(hostUrl, list);
  deepEqual(
    idsOf(listed),
    states.map(({ id }) => id),
  );
  for (const [index, state] of states.entries()) {
    const { body } = await ask(hostUrl, `/task_run_states/${state.id}`);
    for (const read of [body, (listed as StateJson[])[index]]) {
      assertNone(differences(parsed(read as StateJson, default_details), answerOf(state)));
    }
  }

  // First one in the middle of the history, then the task run's current state.
  const ids = states.map(({ id }) => String(id));
  let left = ids;
  for (const id of [ids[1], ids[2]].map(String)) {
    equal(await service.deleteTaskRunState(dataSource.manager, id), true);
    equal(await service.deleteTaskRunState(dataSource.manager, id), false);
    left = left.filter((other) => other !== id);
    for (const url of [prefect.url, hostUrl]) {
      equal((await ask(url, `/task_run_states/${id}`)).status, 404);
      deepEqual(idsOf((await ask(url, list)).body), left);
    }
    equal((await ask(prefect.url, `/task_runs/${run}`)).status, 200);
  }
  const state = { type: "RUNNING", name: "Again" };
  await send(prefect.url, `/task_runs/${run}/set_state`, { state, force: true });
  for (const url of [prefect.url, hostUrl]) equal(idsOf((await ask(url, list)).body).length, left.length + 1);
  return `${states.length} states set by Prefect's orchestration read as they were set; 2 of them deleted, for Prefect too`;
}

const answerOf = ({ id, type, name, timestamp, message, data, state_details }: StateJson): StateJson => ({
  id,
  type,
  name,
  timestamp,
  message,
  data,
  state_details,
});

const idsOf = (body: unknown): string[] => (body as { id: string }[]).map(({ id }) => id);
