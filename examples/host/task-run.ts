import { Column, Entity, type EntityManager, PrimaryColumn } from "typeorm";
import {
  type NewTaskRunState,
  recordTaskRunState,
  type StateType,
  type TaskRunState,
} from "typeorm-task-run-state";

/** The application's own table: a task run and the type that it is in now. */
@Entity({ name: "task_run" })
export class TaskRun {
  @PrimaryColumn({ name: "id", type: "uuid" })
  id!: string;

  @Column({ name: "current_type", type: "varchar", nullable: true })
  currentType!: StateType | null;
}

/**
 * Makes a state the current one of the task run and records it, in one transaction: both or neither. Resolves to the
 * recorded state, or to null when there is no such task run.
 */
export function setState(manager: EntityManager, state: NewTaskRunState): Promise<TaskRunState | null> {
  return manager.transaction(async (manager) => {
    // The update comes first because it locks the task run: of two states that are set at once, the second waits here.
    const { affected } = await manager.update(TaskRun, { id: state.taskRunId }, { currentType: state.type });
    return affected === 0 ? null : recordTaskRunState(manager, state);
  });
}
