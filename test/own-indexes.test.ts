import { Entity, Index, JoinColumn, ManyToOne, PrimaryColumn } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { drift } from "./support/catalog";
import { useDatabase } from "./support/database";

const database = useDatabase();

@Entity({ name: "task_run" })
class TaskRun {
  @PrimaryColumn({ type: "uuid", primaryKeyConstraintName: "pk_task_run" })
  id!: string;
}

test("an index and a foreign key of the host are to be dropped until TypeORM is told of them", async () => {
  const untold = await database.connect({ entities: [TaskRun, TaskRunState] });
  await untold.query(
    `CREATE TABLE task_run (id uuid CONSTRAINT pk_task_run PRIMARY KEY);
     CREATE INDEX ix_failed ON task_run_state (timestamp) WHERE type = 'FAILED';
     ALTER TABLE task_run_state ADD CONSTRAINT fk_task_run FOREIGN KEY (task_run_id) REFERENCES task_run ON DELETE CASCADE`,
  );
  expect(await drift(untold)).toEqual([
    'ALTER TABLE "task_run_state" DROP CONSTRAINT "fk_task_run"',
    'DROP INDEX "public"."ix_failed"',
  ]);

  Index("ix_failed", { synchronize: false })(TaskRunState);
  ManyToOne(() => TaskRun, { onDelete: "CASCADE" })(TaskRunState.prototype, "taskRun");
  JoinColumn({ name: "task_run_id", foreignKeyConstraintName: "fk_task_run" })(
    TaskRunState.prototype,
    "taskRun",
  );
  const told = await database.connect({ entities: [TaskRun, TaskRunState] });
  expect(await drift(told)).toEqual([]);
});
