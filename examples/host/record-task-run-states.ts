import type { DeepPartial, EntityManager } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

/**
 * Records many states in one statement, with the same defaults as `manager.insert`, and resolves to them. Their
 * times are PostgreSQL's unless given, and are not read back.
 */
export async function recordTaskRunStates(
  manager: EntityManager,
  given: DeepPartial<TaskRunState>[],
): Promise<TaskRunState[]> {
  const { metadata } = manager.getRepository(TaskRunState);
  const states = manager.create(TaskRunState, given);
  // TypeORM calls these before it inserts an instance. The entity's own sets id, name and scheduled time.
  for (const state of states) for (const listener of metadata.beforeInsertListeners) listener.execute(state);

  const rows = states.map(({ timestamp, stateDetails = {}, taskRunId, resultArtifactId, ...state }) => ({
    ...state,
    timestamp: timestamp?.toISOString(),
    state_details: stateDetails,
    task_run_id: taskRunId,
    result_artifact_id: resultArtifactId,
  }));
  const table = `"${metadata.tablePath.replaceAll(".", '"."')}"`;
  await manager.query(
    `INSERT INTO ${table} (id, type, timestamp, name, message, state_details, data, task_run_id, result_artifact_id)
     SELECT id, type, COALESCE(timestamp, clock_timestamp()), name, message, state_details, data, task_run_id,
            result_artifact_id
       FROM jsonb_populate_recordset(NULL::${table}, $1)`,
    [JSON.stringify(rows)],
  );
  return states;
}
