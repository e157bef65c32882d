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

import type { JsonValue } from "./json-value";
import type { StateDetails } from "./state-details";
import { StateType } from "./state-type";

/**
 * One state of a task run, from `timestamp` until the next state's: a row of the table `task_run_state`, with the columns
 * of `TaskRunState` of Prefect 3.9.1 (`prefect/server/database/orm_models.py`).
 *
 * `recordTaskRunState` records one. With TypeORM's own calls, only an instance that `manager.create` makes gets its missing
 * id, name and scheduled time filled in: a plain object gets its id from PostgreSQL, of version 4, and needs a name.
 *
 * Whoever adds a column writes out its name, which a naming strategy would change, and its type, so that no compiler has
 * to emit decorator metadata. If TypeORM converts its values, see `is-plain.ts` too.
 */
@Entity({ name: "task_run_state" })
@Index("ix_task_run_state__task_run_id_timestamp", ["taskRunId", "timestamp"])
export class TaskRunState {
  /** A UUID; unless set, of version 7: those that one process makes rise, those of several need not. */
  @PrimaryColumn({
    name: "id",
    type: "uuid",
    primaryKeyConstraintName: "pk_task_run_state",
    default: () => "uuid_in(uuid_out(gen_random_uuid()))",
  })
  id!: string;

  /** When the transaction began that inserted the row. */
  @CreateDateColumn({ name: "created", type: "timestamptz", default: () => "now()" })
  created!: Date;

  /** When the transaction began that last changed the row through TypeORM. */
  @UpdateDateColumn({ name: "updated", type: "timestamptz", default: () => "now()" })
  updated!: Date;

  /** What the task run is doing. */
  @Column({ name: "type", type: "enum", enum: StateType, enumName: "task_run_state_type" })
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

  /** What there is to say about it, such as the exception that a run failed with. */
  @Column({ name: "message", type: "varchar", nullable: true })
  message!: string | null;

  /** Unless set, `{}`; for a `SCHEDULED` state without a scheduled time, the time of insertion. */
  @Column({ name: "state_details", type: "jsonb", default: {} })
  stateDetails!: StateDetails;

  /** Any JSON value. A JSON `null` is stored and read as none. */
  @Column({ name: "data", type: "jsonb", nullable: true })
  data!: JsonValue;

  /** The task run that was in this state. No foreign key: its table, if any, is the host's. */
  @Column({ name: "task_run_id", type: "uuid" })
  taskRunId!: string;

  /** Prefect's record of the run's result. This module only keeps it. */
  @Column({ name: "result_artifact_id", type: "uuid", nullable: true })
  resultArtifactId!: string | null;
}

/**
 * Sets the defaults of Prefect's state schema, which sets the scheduled time anew on every read. TypeORM calls it by name.
 * It is no member of the class's type, so that a test may write a state as a literal.
 */
function setDefaults(this: TaskRunState): void {
  this.id ??= uuidv7();
  this.name ??= titleCase(String(this.type));
  if (this.type === StateType.SCHEDULED && !this.stateDetails?.scheduled_time) {
    this.stateDetails = { ...this.stateDetails, scheduled_time: new Date().toISOString() };
  }
}
Object.defineProperty(TaskRunState.prototype, "setDefaults", { value: setDefaults });
BeforeInsert()(TaskRunState.prototype, "setDefaults");

function titleCase(type: string): string {
  return type.charAt(0) + type.slice(1).toLowerCase();
}
