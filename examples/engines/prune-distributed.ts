import type { EntityManager } from "typeorm";

/**
 * Deletes the histories of so many finished task runs, whose latest state is older than `before`, and returns how many
 * states these had: for a table that Citus distributes, where `pruneTaskRunStates` is refused. Call it until it returns 0,
 * from one process at a time: two of them would choose the same task runs.
 *
 * It looks at every history on each call. A task run that gets a newer state meanwhile keeps that state alone.
 */
export async function pruneDistributed(
  manager: EntityManager,
  before: Date,
  taskRuns = 10_000,
): Promise<number> {
  const [, states]: [unknown, number] = await manager.query(
    `DELETE FROM task_run_state WHERE timestamp < $1 AND task_run_id IN (
       SELECT task_run_id FROM (
         SELECT DISTINCT ON (task_run_id) task_run_id, type, timestamp FROM task_run_state
         ORDER BY task_run_id, timestamp DESC, id DESC
       ) latest
       WHERE type IN ('COMPLETED', 'FAILED', 'CANCELLED', 'CRASHED') AND timestamp < $1
       LIMIT $2
     )`,
    [before, taskRuns],
  );
  return states;
}
