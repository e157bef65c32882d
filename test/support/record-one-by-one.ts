import type { EntityManager } from "typeorm";
import { type NewTaskRunState, recordTaskRunState, type TaskRunState } from "typeorm-task-run-state";

/** Records as `recordTaskRunStates` does, but by a call of `recordTaskRunState` for each state. */
export async function recordOneByOne(
  manager: EntityManager,
  states: readonly NewTaskRunState[],
): Promise<TaskRunState[]> {
  const recorded = [];
  for (const state of states) recorded.push(await recordTaskRunState(manager, state));
  return recorded;
}
