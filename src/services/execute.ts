import type { EntityManager, FindOptionsWhere, QueryRunner, ReplicationMode } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";
import { dataSourceOf } from "./data-source-of";
import { bind, type Statements, statementsFor } from "./statements";

/**
 * Does the work in the transaction that the manager takes part in: its own, or an ambient one, whose manager a library such
 * as typeorm-transactional makes the data source's own. Without a transaction the work gets a query runner for itself, on
 * the primary unless told otherwise, which is released in every outcome.
 */
export async function withQueryRunner<T>(
  manager: EntityManager,
  work: (queryRunner: QueryRunner) => Promise<T>,
  mode?: ReplicationMode,
): Promise<T> {
  const dataSource = dataSourceOf(manager);
  const current = manager.queryRunner ?? dataSource.manager.queryRunner;
  if (current) return work(current);
  const own = dataSource.createQueryRunner(mode);
  try {
    return await work(own);
  } finally {
    await own.release();
  }
}

/**
 * Does what `manager.find` does for these lookups, and faster (`npm run bench`): `find` builds its SQL and reads the
 * metadata of each column on every call.
 *
 * As in `find`, the host's naming, schema and prefix are in the statement, a read outside a transaction goes to a
 * replica, and listeners and subscribers of `afterLoad` are notified. The query result cache is never asked. `find` itself does
 * it where a host has told TypeORM more of the entity.
 */
export function findTaskRunStates(
  manager: EntityManager,
  lookup: "read" | "list" | "latest",
  parameter: string | string[],
  where: FindOptionsWhere<TaskRunState>,
): Promise<TaskRunState[]> {
  const dataSource = dataSourceOf(manager);
  const statements = statementsFor(dataSource);
  const find = (queryRunner: QueryRunner) =>
    queryRunner.manager.find(TaskRunState, {
      where,
      order: { timestamp: "ASC", id: "ASC" },
      cache: false,
    });
  const read = async (queryRunner: QueryRunner) => {
    const states = await queryStates(queryRunner, statements[lookup], parameter);
    await queryRunner.broadcaster.broadcast("Load", dataSource.getMetadata(TaskRunState), states);
    return states;
  };
  return withQueryRunner(
    manager,
    statements.isPlain ? read : find,
    dataSource.defaultReplicationModeForReads(),
  );
}

/**
 * Does what `manager.delete(TaskRunState, { id })` does: subscribers of `beforeRemove` and `afterRemove` are notified, without
 * an entity, and outside of a transaction it goes to the primary. Where `find` itself reads, `delete` itself deletes.
 */
export function deleteTaskRunState(manager: EntityManager, id: string): Promise<boolean> {
  const dataSource = dataSourceOf(manager);
  const statements = statementsFor(dataSource);
  return withQueryRunner(manager, async (queryRunner) => {
    if (!statements.isPlain) return (await queryRunner.manager.delete(TaskRunState, { id })).affected === 1;
    const metadata = dataSource.getMetadata(TaskRunState);
    await queryRunner.broadcaster.broadcast("BeforeRemove", metadata);
    const { affected } = await queryRunner.query(statements.delete, bind(id), true);
    await queryRunner.broadcaster.broadcast("AfterRemove", metadata);
    return affected === 1;
  });
}

/** A row as `pg` gives it, or by position, as a client of `withPreparedStatements` gives it. */
type Row = Record<string, unknown> | unknown[];

/** Sends a statement that returns `columns`, and makes entities of its rows. */
export async function queryStates(
  queryRunner: QueryRunner,
  sql: string,
  ...parameters: unknown[]
): Promise<TaskRunState[]> {
  const rows: Row[] = await queryRunner.query(sql, bind(...parameters));
  return hydrate(rows, statementsFor(dataSourceOf(queryRunner.manager)));
}

/**
 * Empties the driver's array of rows. The driver's query holds that array. When the query has become an old object, it keeps
 * its rows alive until old objects are collected, although nobody uses it. Each state takes the place of its row, so that no
 * row outlives the next: long lists would take an eighth more memory.
 */
function hydrate(rows: Row[], { columns, times }: Statements): TaskRunState[] {
  const taken = rows.splice(0);
  const states: unknown[] = taken;
  taken.forEach((row, place) => {
    const state = toState(row, columns);
    for (const property of times) {
      const value = state[property];
      // A host's parser may leave times as text.
      if (typeof value === "string") state[property] = new Date(value);
    }
    states[place] = state;
  });
  return states as TaskRunState[];
}

/** A row by name becomes the state itself, which takes less time and memory than a second object. */
function toState(row: Row, columns: readonly string[]): Record<string, unknown> {
  if (!Array.isArray(row)) return Object.setPrototypeOf(row, TaskRunState.prototype);
  const state = Object(new TaskRunState());
  columns.forEach((property, index) => {
    state[property] = row[index];
  });
  return state;
}
