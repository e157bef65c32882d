import { Column, Entity, type EntityManager, PrimaryColumn } from "typeorm";
import { type StateType, TaskRunState } from "typeorm-task-run-state";

/** The application's own table: a task run and the state it is in now. */
@Entity({ name: "task_run" })
export class TaskRun {
  @PrimaryColumn({ type: "uuid" })
  id!: string;

  @Column({ type: "varchar" })
  name!: string;

  @Column({ name: "current_state", type: "varchar", nullable: true })
  currentState!: StateType | null;
}

export type NewState = Pick<TaskRunState, "type"> & Partial<Pick<TaskRunState, "name" | "message">>;

/**
 * Makes a state the current one of the task run and records it in the history, in one transaction: both or neither.
 * Resolves to the recorded state, or to null when there is no such task run.
 */
export function setTaskRunState(
  manager: EntityManager,
  taskRunId: string,
  newState: NewState,
): Promise<TaskRunState | null> {
  return manager.transaction(async (manager) => {
    // The update comes first because it locks the task run: of two states that are set at once, the second waits here.
    const { affected } = await manager.update(TaskRun, { id: taskRunId }, { currentState: newState.type });
    if (affected === 0) return null;
    const state = manager.create(TaskRunState, { ...newState, taskRunId });
    await manager.insert(TaskRunState, state);
    return state;
  });
}
