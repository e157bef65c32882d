import type { DataSource, EntityManager } from "typeorm";

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

const LINES = `
  WITH relation AS (
    SELECT oid, relkind, oid::regclass AS name FROM pg_class WHERE relnamespace = 'public'::regnamespace
  )
  SELECT format('relation %s %s', relkind, name) AS line FROM relation
  UNION ALL
  SELECT format('column %s.%I %s %s %s', name, attname, format_type(atttypid, atttypmod),
      CASE WHEN attnotnull THEN 'NOT NULL' END, pg_get_expr(adbin, adrelid))
    FROM relation JOIN pg_attribute ON attrelid = oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_attrdef ON adrelid = attrelid AND adnum = attnum
  UNION ALL
  SELECT format('index %s', pg_get_indexdef(oid)) FROM relation WHERE relkind = 'i'
  UNION ALL
  SELECT format('constraint %s on %s %s', conname, conrelid::regclass, pg_get_constraintdef(oid))
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace
  UNION ALL
  SELECT format('label %s %L', enumtypid::regtype, enumlabel) FROM pg_enum
  UNION ALL
  SELECT format('trigger %s', pg_get_triggerdef(oid)) FROM pg_trigger WHERE NOT tgisinternal
  UNION ALL
  SELECT format('schema %I', nspname) FROM pg_namespace
  ORDER BY 1`;

/** What the schema `public` holds: a line for each relation, column, index, constraint, enum label and trigger, and for each schema. */
export async function readLines(manager: EntityManager): Promise<string[]> {
  const lines: { line: string }[] = await manager.query(LINES);
  return lines.map(({ line }) => line);
}
