import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { EntityManager } from "typeorm";

import type { StateDetails, StateType } from "typeorm-task-run-state";

/** A row of Prefect's table `task_run_state`, as its own orchestration recorded it; times with microseconds. */
export interface RecordedState {
  id: string;
  task_run_id: string;
  type: StateType;
  timestamp: string;
  name: string;
  message: string | null;
  state_details: StateDetails;
  data: unknown;
  result_artifact_id: string | null;
  created: string;
  updated: string;
}

export const recordedStates: RecordedState[] = readFileSync(join(__dirname, "task-run-states.ndjson"), "utf8")
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line));

/** The states of each task run, in the recorded order. */
export const recordedRuns = new Map<string, RecordedState[]>();
for (const state of recordedStates) {
  recordedRuns.set(state.task_run_id, [...(recordedRuns.get(state.task_run_id) ?? []), state]);
}

/** Inserts the states as they are, microseconds included, past the entity. */
export async function insertRecordedStates(manager: EntityManager, states = recordedStates): Promise<void> {
  await manager.query(
    "INSERT INTO task_run_state SELECT * FROM jsonb_populate_recordset(NULL::task_run_state, $1)",
    [JSON.stringify(states)],
  );
}
