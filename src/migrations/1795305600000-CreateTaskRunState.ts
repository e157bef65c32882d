import { type MigrationInterface, type QueryRunner, Table, TypeORMError } from "typeorm";

/**
 * Creates the table `task_run_state`, in the data source's schema and with its `entityPrefix`, and the type of its column
 * `type`. Where one of their names is taken it creates nothing, and the error says what to do.
 *
 * It stands on its own, apart from the entity, so that it goes on creating this table when the entity moves on.
 */
export class CreateTaskRunState1795305600000 implements MigrationInterface {
  /** Recorded in the migrations table: written out, so that a minifier cannot change it. */
  readonly name = "CreateTaskRunState1795305600000";

  async up(queryRunner: QueryRunner): Promise<void> {
    await assertAbsent(queryRunner);
    await queryRunner.createTable(
      new Table({
        name: tableName(queryRunner),
        columns: [
          {
            name: "id",
            type: "uuid",
            isPrimary: true,
            primaryKeyConstraintName: "pk_task_run_state",
            default: "uuid_in(uuid_out(gen_random_uuid()))",
          },
          { name: "created", type: "timestamptz", default: "now()" },
          { name: "updated", type: "timestamptz", default: "now()" },
          {
            name: "type",
            type: "enum",
            enumName: "task_run_state_type",
            enum: "SCHEDULED PENDING RUNNING COMPLETED FAILED CANCELLED CRASHED PAUSED CANCELLING".split(" "),
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
    await queryRunner.query(`DROP TYPE "${table.schema}"."task_run_state_type"`);
  }
}

const ADVICE = `
- synchronize, or a migration of your own, for the entity TaskRunState: record this migration as run, with "typeorm migration:run --fake". That records every pending migration, so first run those of your own, without this package's migrations in the data source.
- Prefect: leave this package's migrations out of the data source. The service works on Prefect's table.
- another process that ran this migration at the same moment: start again.
- anything else: give the data source another schema.`;

/** Asks for each name before anything is created: in the transaction mode "none" nothing would be rolled back. */
async function assertAbsent(queryRunner: QueryRunner): Promise<void> {
  const { schema, tableName: table } = queryRunner.connection.driver.parseTableName(tableName(queryRunner));
  const [existing] = await queryRunner.query(
    `SELECT object.type, identity
       FROM (VALUES ($2, 'pg_class'), ('pk_task_run_state', 'pg_class'),
                    ('ix_task_run_state__task_run_id_timestamp', 'pg_class'), ('task_run_state_type', 'pg_type')
            ) AS names (name, catalog),
            format('%I.%I', COALESCE($1, current_schema()), name) AS path,
            LATERAL (
              SELECT CASE catalog WHEN 'pg_type' THEN to_regtype(path)::oid ELSE to_regclass(path)::oid END AS id
            ) AS found,
            pg_identify_object(catalog::regclass, id, 0) AS object
      WHERE id IS NOT NULL`,
    [schema, table],
  );
  if (!existing) return;
  throw new TypeORMError(
    `The ${existing.type} ${existing.identity} exists already, so CreateTaskRunState1795305600000 created nothing. ` +
      `What to do depends on what made it:${ADVICE}`,
  );
}

/** `connection` is deprecated in TypeORM 1, and the only name that 0.3 has for the data source. */
function tableName({ connection }: QueryRunner): string {
  return `${connection.options.entityPrefix ?? ""}task_run_state`;
}
