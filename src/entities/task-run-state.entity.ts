import {
  BeforeInsert,
  Column,
  CreateDateColumn,
  Entity,
  Index,
  PrimaryColumn,
  UpdateDateColumn,
} from "typeorm";
import { uuidv7 } from "uuidv7";

import type { StateDetails } from "./state-details";
import { StateType } from "./state-type";

/**
 * One state that a task run was in, from `timestamp` until the next state's: a row of the table
 * `task_run_state`, with the columns of Prefect's table of that name.
 *
 * Record one with `manager.save(manager.create(TaskRunState, { taskRunId, type }))`. `manager.create` makes
 * the instance whose missing id and name are filled in; a plain object gets no such defaults, and PostgreSQL
 * rejects it.
 *
 * Names of columns, constraints and types are written out, so that a host's naming strategy leaves them alone;
 * so are the types, so that no transpiler has to emit decorator metadata.
 */
@Entity({ name: "task_run_state" })
@Index("ix_task_run_state__task_run_id_timestamp", ["taskRunId", "timestamp"])
export class TaskRunState {
  /** A UUID; version 7 unless set: later states have greater ids. */
  @PrimaryColumn({ name: "id", type: "uuid", primaryKeyConstraintName: "pk_task_run_state" })
  id!: string;

  /** When the row was inserted. */
  @CreateDateColumn({ name: "created", type: "timestamptz", default: () => "clock_timestamp()" })
  created!: Date;

  /** When the row was last changed. */
  @UpdateDateColumn({ name: "updated", type: "timestamptz", default: () => "clock_timestamp()" })
  updated!: Date;

  @Column({ name: "type", type: "enum", enum: StateType, enumName: "state_type" })
  type!: StateType;

  /**
   * When the task run entered this state; unless set, PostgreSQL's clock at the insertion. The table keeps
   * microseconds, of which a JavaScript `Date` shows the milliseconds.
   */
  @Column({ name: "timestamp", type: "timestamptz", default: () => "clock_timestamp()" })
  timestamp!: Date;

  /** What people call the state, such as `AwaitingRetry`; unless set, the type in title case. */
  @Column({ name: "name", type: "varchar" })
  name!: string;

  @Column({ name: "message", type: "varchar", nullable: true })
  message!: string | null;

  @Column({ name: "state_details", type: "jsonb", default: {} })
  stateDetails!: StateDetails;

  /** Any JSON value. A JSON `null` is stored and read as none. */
  @Column({ name: "data", type: "jsonb", nullable: true })
  data!: string | number | boolean | object | null;

  @Column({ name: "task_run_id", type: "uuid" })
  taskRunId!: string;

  @Column({ name: "result_artifact_id", type: "uuid", nullable: true })
  resultArtifactId!: string | null;

  /** As Prefect's state schema does, but once at insertion instead of anew on every read. */
  @BeforeInsert()
  protected setDefaults(): void {
    this.id ??= uuidv7();
    this.name ??= titleCase(String(this.type));
    if (this.type === StateType.SCHEDULED && !this.stateDetails?.scheduled_time) {
      this.stateDetails = { ...this.stateDetails, scheduled_time: new Date().toISOString() };
    }
  }
}

function titleCase(type: string): string {
  return type.charAt(0) + type.slice(1).toLowerCase();
}
