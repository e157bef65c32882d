import type { EntityManager } from "typeorm";

const CATALOGUE = `
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

/** A line for each relation, column, index, constraint, enum label, trigger and schema. */
export async function readCatalogue(manager: EntityManager): Promise<string[]> {
  const lines: { line: string }[] = await manager.query(CATALOGUE);
  return lines.map(({ line }) => line);
}
