import type { EntityManager } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";
import { assertManager } from "./assert-manager";
import { findTaskRunStates } from "./find-task-run-states";
import { InvalidUuidError } from "./invalid-uuid.error";

/**
 * Reads, lists and deletes the states of task runs through the caller's `EntityManager`, and so inside the caller's own
 * transaction.
 *
 * Every method sends one SQL statement through the `EntityManager` it is given and neither begins, commits nor
 * rolls back. Ids are UUIDs in their canonical form, in any case and of any version: anything else rejects with
 * {@link InvalidUuidError} before any SQL is sent, as a manager that is none does with a `TypeError`. Errors of the
 * database reach the caller as TypeORM throws them.
 *
 * It mirrors `prefect.server.models.task_run_states`, where three functions take a session per call.
 */
export class TaskRunStateService {
  /**
   * Reads one state; mirrors `read_task_run_state`.
   *
   * @returns the state, or null when there is none with this id.
   */
  async readTaskRunState(manager: EntityManager, taskRunStateId: string): Promise<TaskRunState | null> {
    assertManager(manager);
    assertUuid("taskRunStateId", taskRunStateId);
    const [state] = await findTaskRunStates(manager, "id", taskRunStateId);
    return state ?? null;
  }

  /**
   * Lists all states of a task run from the earliest to the latest; mirrors `read_task_run_states`.
   *
   * @returns the states by `timestamp`, those with equal timestamps by `id`: the same order on every read. An
   * empty array when the task run has none or is unknown.
   */
  async readTaskRunStates(manager: EntityManager, taskRunId: string): Promise<TaskRunState[]> {
    assertManager(manager);
    assertUuid("taskRunId", taskRunId);
    return findTaskRunStates(manager, "taskRunId", taskRunId);
  }

  /**
   * Deletes one state; mirrors `delete_task_run_state`. A rollback of the caller's transaction undoes it.
   *
   * @returns whether there was a state with this id.
   */
  async deleteTaskRunState(manager: EntityManager, taskRunStateId: string): Promise<boolean> {
    assertManager(manager);
    assertUuid("taskRunStateId", taskRunStateId);
    const { affected } = await manager.delete(TaskRunState, { id: taskRunStateId });
    return affected === 1;
  }
}

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/i;

function assertUuid(parameter: string, value: unknown): asserts value is string {
  if (typeof value !== "string" || !UUID.test(value)) throw new InvalidUuidError(parameter, value);
}
