import { randomUUID } from "node:crypto";
import type { StateType } from "typeorm-task-run-state";

import { type Live, python } from "./live";

/**
 * Lets the consumer of Prefect's TaskRunRecorder record a state of each task run, which it makes if there is none yet.
 * Resolves to what Prefect says of each event that it drops.
 */
export async function letRecord(
  live: Live,
  batchSize: number,
  type: StateType,
  runs: string[],
  timestamp: string,
): Promise<string[]> {
  const name = type.charAt(0) + type.slice(1).toLowerCase();
  const states = runs.map((run) => ({ id: randomUUID(), task_run_id: run, type, name, timestamp }));
  return python<string[]>(live, "recorder", batchSize, states);
}
