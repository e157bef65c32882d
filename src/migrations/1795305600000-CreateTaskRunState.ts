import { type MigrationInterface, type QueryRunner, Table, TypeORMError } from "typeorm";

/**
 * Creates the table `task_run_state`, in the data source's schema and with its `entityPrefix`, and the type of its column
 * `type`. Where one of their names is taken it creates nothing, and the error says what to do. Each direction is done as a
 * whole or not at all, in each of TypeORM's transaction modes.
 *
 * It stands on its own, apart from the entity, so that it still creates this table when the entity has changed.
 */
export class CreateTaskRunState1795305600000 implements MigrationInterface {
  /** Recorded in the migrations table: written out, so that a minifier cannot change it. */
  readonly name = "CreateTaskRunState1795305600000";

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.manager.transaction(async () => {
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
              enum: "SCHEDULED PENDING RUNNING COMPLETED FAILED CANCELLED CRASHED PAUSED CANCELLING".split(
                " ",
              ),
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
    });
  }

  /** Passes over what somebody has dropped already. */
  async down(queryRunner: QueryRunner): Promise<void> {
    const { schema, tableName: table } = queryRunner.connection.driver.parseTableName(tableName(queryRunner));
    await queryRunner.manager.transaction(async () => {
      await queryRunner.query(`DROP TABLE IF EXISTS "${schema}"."${table}"`);
      await queryRunner.query(`DROP TYPE IF EXISTS "${schema}"."task_run_state_type"`);
    });
  }
}

const ADVICE = `
- synchronize, or a migration of your own, for the entity TaskRunState: record this migration as run, with "typeorm migration:run --fake". That records every pending migration, so first run those of your own, without this package's migrations in the data source.
- Prefect: leave this package's migrations out of the data source. The service works on Prefect's table.
- another process that ran this migration at the same moment: start again.
- anything else: give the data source another schema.`;

/** Looks in each catalogue in which PostgreSQL would refuse a name. It would rename an array type. */
async function assertAbsent(queryRunner: QueryRunner): Promise<void> {
  const { schema, tableName: table } = queryRunner.connection.driver.parseTableName(tableName(queryRunner));
  const [existing] = await queryRunner.query(
    `SELECT object.type, identity, is_enum AND place = 5 AS "isLeft"
       FROM (VALUES (1, 'pg_class', $2::name), (2, 'pg_type', $2), (3, 'pg_class', 'pk_task_run_state'),
                    (4, 'pg_class', 'ix_task_run_state__task_run_id_timestamp'), (5, 'pg_type', 'task_run_state_type')
            ) AS wanted (place, catalog, name)
       JOIN (SELECT 'pg_class', relname, relnamespace, oid, false FROM pg_class UNION ALL
             SELECT 'pg_type', typname, typnamespace, oid, typtype = 'e' FROM pg_type
              WHERE oid NOT IN (SELECT typarray FROM pg_type)
            ) AS taken (catalog, name, namespace, id, is_enum) USING (catalog, name),
            pg_identify_object(catalog::regclass, id, 0) AS object
      WHERE namespace = to_regnamespace(quote_ident($1))
      ORDER BY place`,
    [schema, table],
  );
  if (!existing) return;
  throw new TypeORMError(
    `The ${existing.type} ${existing.identity} exists already, so CreateTaskRunState1795305600000 created nothing. ` +
      `What to do depends on what made it:${existing.isLeft ? typeAdvice(existing.identity) : ADVICE}`,
  );
}

/** For when nothing is there but the type. */
function typeAdvice(identity: string): string {
  return `
- this package, for a table that was dropped since: DROP TYPE ${identity}, and run the migrations again.
- anything else: give the data source another schema.`;
}

/** `connection` is deprecated in TypeORM 1, and the only name that 0.3 has for the data source. */
function tableName({ connection }: QueryRunner): string {
  return `${connection.options.entityPrefix ?? ""}task_run_state`;
}
