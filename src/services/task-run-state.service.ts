import type { EntityManager } from "typeorm";

import type { TaskRunState } from "../entities/task-run-state.entity";
import { assertManager, assertUuid } from "./arguments";
import { deleteTaskRunState, findTaskRunStates } from "./execute";

/**
 * Reads, lists and deletes the states of task runs through the caller's `EntityManager`, and so inside the caller's own
 * transaction.
 *
 * Every method sends one SQL statement and neither begins, commits nor rolls back. Ids are UUIDs in their canonical
 * form, in any case and of any version. Bad arguments are refused before any SQL is sent, so that a transaction in
 * progress stays usable: an id that is no UUID with `InvalidUuidError`, anything but an `EntityManager` with a
 * `TypeError`, and one whose data source lacks `TaskRunState` with TypeORM's `EntityMetadataNotFoundError`. Errors of the
 * database reach the caller as TypeORM throws them.
 *
 * It mirrors `prefect/server/models/task_run_states.py` of Prefect 3.9.1: three functions that take a session per call.
 *
 * @example
 * const service = new TaskRunStateService();
 * await dataSource.transaction(async (manager) => {
 *   const states = await service.readTaskRunStates(manager, taskRunId);
 *   const latest = states.at(-1);
 *   if (latest) await service.deleteTaskRunState(manager, latest.id);
 * });
 */
export class TaskRunStateService {
  /**
   * Reads one state; mirrors `read_task_run_state`.
   *
   * @returns the state, or null when there is none with this id.
   * @throws {InvalidUuidError} when the id is not a UUID.
   */
  async readTaskRunState(manager: EntityManager, taskRunStateId: string): Promise<TaskRunState | null> {
    assertManager(manager);
    assertUuid("taskRunStateId", taskRunStateId);
    const [state] = await findTaskRunStates(manager, "read", taskRunStateId, { id: taskRunStateId });
    return state ?? null;
  }

  /**
   * Lists all states of a task run from the earliest to the latest; mirrors `read_task_run_states`.
   *
   * @returns the states by `timestamp`, those with equal timestamps by `id`: the same order on every read. An
   * empty array when the task run has none or is unknown.
   * @throws {InvalidUuidError} when the id is not a UUID.
   */
  async readTaskRunStates(manager: EntityManager, taskRunId: string): Promise<TaskRunState[]> {
    assertManager(manager);
    assertUuid("taskRunId", taskRunId);
    return findTaskRunStates(manager, "list", taskRunId, { taskRunId });
  }

  /**
   * Deletes one state; mirrors `delete_task_run_state`. A rollback of the caller's transaction undoes it, if it
   * was awaited before.
   *
   * @returns whether it deleted a state: false when there is none with this id, and when a trigger of the host's keeps it.
   * @throws {InvalidUuidError} when the id is not a UUID.
   */
  async deleteTaskRunState(manager: EntityManager, taskRunStateId: string): Promise<boolean> {
    assertManager(manager);
    assertUuid("taskRunStateId", taskRunStateId);
    return deleteTaskRunState(manager, taskRunStateId);
  }
}
