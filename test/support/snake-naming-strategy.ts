import { DefaultNamingStrategy } from "typeorm";

/** What has no name of its own is named in snake case; with a prefix, so that it is seen where it was not meant. */
export class SnakeNamingStrategy extends DefaultNamingStrategy {
  override tableName(className: string, given?: string): string {
    return given ?? `t_${snakeCase(className)}`;
  }
  override columnName(propertyName: string, given?: string, prefixes: string[] = []): string {
    return [...prefixes, given ?? `c_${snakeCase(propertyName)}`].join("_");
  }
  override primaryKeyName(): string {
    return "pk_by_strategy";
  }
  override indexName(): string {
    return "ix_by_strategy";
  }
}

const snakeCase = (name: string): string =>
  name.replace(/(?<!^)[A-Z]/g, (letter) => `_${letter}`).toLowerCase();
