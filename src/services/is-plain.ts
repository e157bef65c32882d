import type { ColumnType, DataSource, EntityMetadata } from "typeorm";

/** Of a value of these types `find` makes what `pg` gives, or what `parse-time.ts` makes of its text. */
const READ_AS_THEY_ARE: ReadonlySet<ColumnType> = new Set<ColumnType>([
  "uuid",
  "varchar",
  "text",
  "jsonb",
  "enum",
  "timestamptz",
]);

/**
 * Whether `find` gives the table's columns as they are, and nothing else. It gives something else where a host has told
 * TypeORM more of the entity, such as a transformer, an eager relation or a soft delete.
 */
export function isPlain(metadata: EntityMetadata, { options }: DataSource): boolean {
  const { columns, relations, relationIds, deleteDateColumn } = metadata;
  return (
    columns.every(isPlainColumn) &&
    !relations.some(({ isEager, isLazy }) => isEager || isLazy) &&
    relationIds.length === 0 &&
    !deleteDateColumn &&
    !options.typename
  );
}

function isPlainColumn(column: EntityMetadata["columns"][number]): boolean {
  return (
    READ_AS_THEY_ARE.has(column.type) &&
    column.isSelect &&
    !(column.transformer || column.embeddedMetadata) &&
    !(column.isArray || column.isVirtual || column.isVirtualProperty)
  );
}
