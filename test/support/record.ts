import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import {
  type NewTaskRunState,
  recordTaskRunState,
  StateType,
  type TaskRunState,
} from "typeorm-task-run-state";

/** Records a state, `RUNNING` and of a task run of its own unless given. */
export function record(manager: EntityManager, given: Partial<NewTaskRunState> = {}): Promise<TaskRunState> {
  return recordTaskRunState(manager, { taskRunId: randomUUID(), type: StateType.RUNNING, ...given });
}
