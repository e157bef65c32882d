import type { MigrationInterface, QueryRunner } from "typeorm";

/** A task run to try the application with. */
export const EXAMPLE_TASK_RUN_ID = "019ab9e4-a800-7000-8000-000000000001";

export class CreateTaskRun1795219200000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query(
      "CREATE TABLE task_run (id uuid PRIMARY KEY, name varchar NOT NULL, current_state varchar)",
    );
    await queryRunner.query("INSERT INTO task_run (id, name) VALUES ($1, 'nightly report')", [
      EXAMPLE_TASK_RUN_ID,
    ]);
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("DROP TABLE task_run");
  }
}
