import { Column, Entity, PrimaryColumn } from "typeorm";
import type { StateType } from "typeorm-task-run-state";

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
