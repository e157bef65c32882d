import type { EntityManager } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

/** The latest state of each task run: for a table that Citus distributes, where `readLatestTaskRunStates` is refused. */
export function latestDistributed(manager: EntityManager, taskRunIds: string[]): Promise<TaskRunState[]> {
  return manager
    .createQueryBuilder(TaskRunState, "state")
    .distinctOn(["state.taskRunId"])
    .where("state.taskRunId = ANY(:taskRunIds)", { taskRunIds })
    .orderBy("state.taskRunId")
    .addOrderBy("state.timestamp", "DESC")
    .addOrderBy("state.id", "DESC")
    .getMany();
}
