import type { EntityManager, EntityMetadata } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";

/** The SQL of the service's three methods. Each has one parameter, `$1`: the id. */
export interface Statements {
  readonly read: string;
  readonly list: string;
  readonly delete: string;
}

/** Kept for as long as the data source keeps the metadata that they were built from. */
const built = new WeakMap<EntityMetadata, Statements>();

/**
 * The statements for the manager's data source, with its schema and prefix. TypeORM's own query builder builds them, once:
 * `find` and `delete` build theirs anew on every call, and that takes as long as a third of the call.
 */
export function statementsFor(manager: EntityManager): Statements {
  // `connection` is deprecated in TypeORM 1, and the only name that 0.3 has for the data source.
  const metadata = manager.connection.getMetadata(TaskRunState);
  let statements = built.get(metadata);
  if (!statements) {
    statements = build(manager, metadata);
    built.set(metadata, statements);
  }
  return statements;
}

function build(manager: EntityManager, metadata: EntityMetadata): Statements {
  const select = () => {
    const query = manager.createQueryBuilder(TaskRunState, "state").select([]);
    for (const { propertyName } of metadata.columns) query.addSelect(`state.${propertyName}`, propertyName);
    return query;
  };
  const inOrder = { "state.timestamp": "ASC", "state.id": "ASC" } as const;
  return {
    read: select().where("state.id = $1").getQuery(),
    list: select().where("state.taskRunId = $1").orderBy(inOrder).getQuery(),
    delete: manager.createQueryBuilder(TaskRunState, "state").delete().where("id = $1").getQuery(),
  };
}
