import type { DataSource } from "typeorm";

/** What PostgreSQL's catalog holds in a schema, apart from TypeORM's own migrations table. */
export interface Catalog {
  columns: { name: string; type: string; nullable: boolean; default: string | null }[];
  constraints: Record<string, string>;
  indexes: Record<string, string>;
  enums: Record<string, string[]>;
  tables: string[];
}

export async function readCatalog(
  dataSource: DataSource,
  { schema = "public", table = "task_run_state" } = {},
): Promise<Catalog> {
  const definitions = async (sql: string): Promise<Record<string, string>> =>
    Object.fromEntries((await dataSource.query(sql, [schema, table])).map(Object.values));
  return {
    columns: await dataSource.query(
      `SELECT attname AS name, format_type(atttypid, atttypmod) AS type, NOT attnotnull AS nullable,
              pg_get_expr(adbin, adrelid) AS default
         FROM pg_attribute LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
        WHERE attrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND attnum > 0
        ORDER BY attnum`,
      [schema, table],
    ),
    constraints: await definitions(
      `SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = to_regclass(format('%I.%I', $1::text, $2::text)) AND contype <> 'n'`,
    ),
    indexes: await definitions(
      "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = $1 AND tablename = $2",
    ),
    enums: Object.fromEntries(
      (
        await dataSource.query(
          `SELECT typname, array_agg(enumlabel::text ORDER BY enumsortorder) AS labels
             FROM pg_enum JOIN pg_type ON pg_type.oid = enumtypid
            WHERE typnamespace = $1::regnamespace GROUP BY typname`,
          [schema],
        )
      ).map(Object.values),
    ),
    tables: (
      await dataSource.query(
        "SELECT tablename FROM pg_tables WHERE schemaname = $1 AND tablename <> 'migrations' ORDER BY 1",
        [schema],
      )
    ).map(({ tablename }: { tablename: string }) => tablename),
  };
}

/** The statements by which TypeORM would make the database match the entities: none when they agree. */
export async function drift(dataSource: DataSource): Promise<string[]> {
  const { upQueries } = await dataSource.driver.createSchemaBuilder().log();
  return upQueries.map(({ query }) => query);
}
