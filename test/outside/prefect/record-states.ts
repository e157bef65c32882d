import { deepEqual, ok } from "node:assert/strict";
import { join } from "node:path";
import { StateType } from "typeorm-task-run-state";

import { until } from "../../support/until";
import { type Live, send } from "./live";

const DETAILS = {
  cache_key: "orders",
  cache_expiration: "2030-01-01T00:00:00.000001Z",
  child_flow_run_id: "01a202e3-518d-7ab3-8674-4b13d969cbbd",
  pause_key: "approval",
  pause_reschedule: true,
  pause_timeout: "2030-01-01T00:00:00Z",
  refresh_cache: false,
  retriable: true,
  run_input_keyset: { response: "a-response", schema: "a-schema" },
  scheduled_time: "2030-01-01T00:00:00.5Z",
};

const DATA = [{ rows: [1, 2.5, null], text: "ä👋" }, ["a", "b"], [], "text", "", 7, 0, true, false];

/**
 * Records states of all nine types: by flows that Prefect's engine runs, over its REST interface, and by a row as an
 * older Prefect wrote it, with the keys of that time.
 */
export async function recordStates(live: Pick<Live, "prefect" | "dataSource">): Promise<string> {
  await live.prefect.python(join(__dirname, "flows.py"), "everything");
  await recordOverRest(live);
  const { manager } = live.dataSource;
  // Prefect 3 records states some time after they were set, in the order in which they were set: this one is the last.
  const isSettled = () =>
    manager.query(
      `SELECT bool_or(state_type = 'CRASHED')
         AND bool_and(task_key = 'over REST' OR state_type IN ('COMPLETED', 'FAILED', 'CRASHED')) AS settled
       FROM task_run`,
    );
  await until(async () => (await isSettled())[0].settled, 60_000);
  await manager.query(
    `INSERT INTO task_run_state (type, timestamp, name, state_details, task_run_id)
     SELECT 'COMPLETED', '2020-01-01 00:00:00.000001+00', 'Old', '{"cache_key": "orders", "unknown_key": 1}', id
     FROM task_run LIMIT 1`,
  );

  const counts: { type: StateType; states: number }[] = await manager.query(
    "SELECT type, count(*)::int AS states FROM task_run_state GROUP BY type ORDER BY type",
  );
  const [{ runs }] = await manager.query("SELECT count(*)::int AS runs FROM task_run");
  const states = counts.reduce((sum, count) => sum + count.states, 0);
  ok(states >= 300, `${states} states`);
  deepEqual(
    counts.map(({ type }) => type),
    Object.values(StateType),
  );
  const types = counts.map(({ type, states }) => `${states} ${type}`).join(", ");
  return `${states} states of ${runs} task runs: ${types}`;
}

async function recordOverRest({ prefect: { url } }: Pick<Live, "prefect">): Promise<void> {
  const flow = await send(url, "/flows/", { name: "over REST" });
  const flowRun = await send(url, "/flow_runs/", { flow_id: flow.id });
  let runs = 0;
  const setStates = async (...states: object[]) => {
    const run = { flow_run_id: flowRun.id, task_key: "over REST", dynamic_key: String(runs++) };
    const { id } = await send(url, "/task_runs/", run);
    for (const state of states) await send(url, `/task_runs/${id}/set_state`, { state, force: true });
  };
  await setStates(
    { type: "SCHEDULED", state_details: DETAILS },
    { type: "PENDING", name: "Waiting for a slot" },
    { type: "RUNNING" },
    { type: "PAUSED", message: "for approval", state_details: DETAILS },
    { type: "CANCELLING" },
    { type: "CANCELLED", message: "by hand" },
  );
  for (const data of DATA) await setStates({ type: "RUNNING" }, { type: "COMPLETED", data });
}
