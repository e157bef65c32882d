import type { EntityManager, EntityMetadata } from "typeorm";
import { uuidv7 } from "uuidv7";

import { TaskRunState } from "../entities/task-run-state.entity";

/** SQL with one parameter, `$1`: an id. */
interface Statement {
  readonly sql: string;
  /** What it is called where it is prepared. No other statement of any process has this name. */
  readonly name: string;
}

/** The statements of the service's three methods. */
type Statements = Readonly<Record<"read" | "list" | "delete", Statement>>;

/** Kept for as long as the data source keeps the metadata that they were built from. */
const built = new WeakMap<EntityMetadata, Statements>();

/**
 * The statements for the manager's data source, with its schema and prefix. TypeORM's query builder builds them, once, where
 * `find` and `delete` build theirs anew on every call.
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
  const deletion = manager.createQueryBuilder(TaskRunState, "state").delete();
  return {
    read: named(select().where("state.id = $1").getQuery()),
    list: named(select().where("state.taskRunId = $1").orderBy(inOrder).getQuery()),
    delete: named(deletion.where("id = $1").getQuery()),
  };
}

/** The name is new each time: behind a pooler, two programs that share a name can run each other's statement. */
function named(sql: string): Statement {
  return { sql, name: `task_run_state_${uuidv7()}` };
}

/** Which statement's parameters an array holds. An entry lasts as long as its array, and so as long as the call. */
const names = new WeakMap<object, string>();

/** The parameters of a call. TypeORM passes the array on as it is, so that a client of `pg` can tell whose it is. */
export function bind({ name }: Statement, id: string): unknown[] {
  const parameters = [id];
  names.set(parameters, name);
  return parameters;
}

/** The name of the statement that the parameters are bound to; undefined where the statement is not this module's. */
export function nameOf(parameters: unknown): string | undefined {
  return names.get(parameters as object);
}
