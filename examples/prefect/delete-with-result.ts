import type { EntityManager } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

const service = new TaskRunStateService();

/**
 * Deletes a state with the artifact that holds its result, if any; resolves to whether there was such a state. Two
 * statements that belong together: pass the manager of a transaction.
 */
export async function deleteWithResult(manager: EntityManager, taskRunStateId: string): Promise<boolean> {
  const state = await service.readTaskRunState(manager, taskRunStateId);
  const isDeleted = await service.deleteTaskRunState(manager, taskRunStateId);
  if (state) await manager.query("DELETE FROM artifact WHERE id = $1", [state.resultArtifactId]);
  return isDeleted;
}
