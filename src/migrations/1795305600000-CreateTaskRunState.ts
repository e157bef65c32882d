import { type MigrationInterface, type QueryRunner, Table } from "typeorm";

/**
 * Creates the table `task_run_state` and the type `state_type` in the data source's schema, with its `entityPrefix`.
 *
 * It stands on its own, apart from the entity, so that it goes on creating this table when the entity moves on.
 * A type `state_type` that exists is used, and must have the labels of `StateType`. Going down drops the type, unless
 * something else uses it.
 */
export class CreateTaskRunState1795305600000 implements MigrationInterface {
  /** Recorded in the migrations table: written out, so that a minifier cannot change it. */
  readonly name = "CreateTaskRunState1795305600000";

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(
      new Table({
        name: tableName(queryRunner),
        columns: [
          { name: "id", type: "uuid", isPrimary: true, primaryKeyConstraintName: "pk_task_run_state" },
          { name: "created", type: "timestamptz", default: "now()" },
          { name: "updated", type: "timestamptz", default: "now()" },
          {
            name: "type",
            type: "enum",
            enumName: "state_type",
            enum: [
              "SCHEDULED",
              "PENDING",
              "RUNNING",
              "COMPLETED",
              "FAILED",
              "CANCELLED",
              "CRASHED",
              "PAUSED",
              "CANCELLING",
            ],
          },
          { name: "timestamp", type: "timestamptz", default: "clock_timestamp()" },
          { name: "name", type: "varchar" },
          { name: "message", type: "varchar", isNullable: true },
          { name: "state_details", type: "jsonb", default: "'{}'" },
          { name: "data", type: "jsonb", isNullable: true },
          { name: "task_run_id", type: "uuid" },
          { name: "result_artifact_id", type: "uuid", isNullable: true },
        ],
        indices: [
          { name: "ix_task_run_state__task_run_id_timestamp", columnNames: ["task_run_id", "timestamp"] },
        ],
      }),
    );
  }

  async down(queryRunner: QueryRunner): Promise<void> {
    const table = await queryRunner.getTable(tableName(queryRunner));
    if (!table) return;
    await queryRunner.dropTable(table);
    await queryRunner.query(`
      DO $$ BEGIN
        DROP TYPE "${table.schema}"."state_type";
      EXCEPTION WHEN dependent_objects_still_exist THEN
        NULL;
      END $$`);
  }
}

/** `connection` is deprecated in TypeORM 1, and the only name that 0.3 has for the data source. */
function tableName({ connection }: QueryRunner): string {
  return `${connection.options.entityPrefix ?? ""}task_run_state`;
}
