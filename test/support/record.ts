import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { StateType, TaskRunState } from "typeorm-task-run-state";

/** Records a state as a host does: `RUNNING` and of a task run of its own, unless given. */
export function record(manager: EntityManager, given: Partial<TaskRunState> = {}): Promise<TaskRunState> {
  return manager.save(
    manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING, ...given }),
  );
}
