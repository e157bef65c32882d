import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { StateType, TaskRunState } from "typeorm-task-run-state";

/**
 * Records a state with one statement: `RUNNING` and of a task run of its own, unless given. Returns what was inserted,
 * with what the entity and the database filled in; nullable columns that were not given stay undefined.
 */
export async function record(
  manager: EntityManager,
  given: Partial<TaskRunState> = {},
): Promise<TaskRunState> {
  const state = manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING, ...given });
  await manager.insert(TaskRunState, state);
  return state;
}
