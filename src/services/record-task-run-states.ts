import { type EntityManager, In, type QueryRunner } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";
import { assertArray, assertManager } from "./arguments";
import { dataSourceOf } from "./data-source-of";
import { queryStates, withQueryRunner } from "./execute";
import {
  checkState,
  createState,
  type NewRow,
  type NewTaskRunState,
  WRITTEN_COLUMNS,
} from "./new-task-run-state";
import { INSERT_PARAMETERS, statementsFor } from "./statements";

/**
 * Records a state with one SQL statement, through the caller's manager and so in its transaction.
 *
 * Subscribers and listeners of `beforeInsert` and `afterInsert` are notified, as by `manager.insert` of an instance. What one
 * of them changes before the insert is checked and stored. What PostgreSQL refuses reaches the caller as TypeORM throws it, such as
 * an id that exists with the SQLSTATE 23505.
 *
 * @returns the state as `readTaskRunState` reads it.
 * @throws {InvalidUuidError} when an id is not a UUID; its `parameter` says which, such as `state.taskRunId`.
 * @throws {TypeError} when the manager is not an `EntityManager`, or a property is of another kind than its type says, of
 * no known name, or `created` or `updated`.
 * @throws {RangeError} when a date or a text is one that PostgreSQL cannot store.
 * @throws {EntityMetadataNotFoundError} when `TaskRunState` is not among the entities of its data source.
 *
 * These are thrown before any SQL is sent, so that a transaction in progress stays usable.
 *
 * @example
 * const state = await recordTaskRunState(manager, { taskRunId, type: "RUNNING" });
 */
export async function recordTaskRunState(
  manager: EntityManager,
  state: NewTaskRunState,
): Promise<TaskRunState> {
  assertManager(manager);
  const created = createState("state", state, dataSourceOf(manager).getMetadata(TaskRunState));
  await record(manager, [created], () => "state", insertOne);
  return created;
}

/**
 * Records states of any number of task runs with one SQL statement, whatever their number, and all of them or none. In all
 * else it does what `recordTaskRunState` does; an error names the place in the array, such as `states[3].taskRunId`.
 *
 * @returns the states as `readTaskRunState` reads them, in the order of the array. States of one task run without `timestamp`
 * list in this order too. No states send nothing.
 *
 * @example
 * await recordTaskRunStates(manager, [
 *   { taskRunId, type: "PENDING" },
 *   { taskRunId, type: "RUNNING" },
 * ]);
 */
export async function recordTaskRunStates(
  manager: EntityManager,
  states: readonly NewTaskRunState[],
): Promise<TaskRunState[]> {
  assertManager(manager);
  assertArray("states", states);
  const metadata = dataSourceOf(manager).getMetadata(TaskRunState);
  const placeOf = (index: number) => `states[${index}]`;
  const created = Array.from(states, (state, index) => createState(placeOf(index), state, metadata));
  if (created.length > 0) await record(manager, created, placeOf, insertMany);
  return created;
}

/** Stores the rows of the states, and makes the states what is read of them. */
type Insert = (queryRunner: QueryRunner, rows: NewRow[], states: TaskRunState[]) => Promise<void>;

function record(
  manager: EntityManager,
  states: TaskRunState[],
  placeOf: (index: number) => string,
  insert: Insert,
): Promise<void> {
  const dataSource = dataSourceOf(manager);
  return withQueryRunner(manager, async (queryRunner) => {
    await notify(queryRunner, "BeforeInsert", states);
    const checked = states.map((state, index) => checkState(placeOf(index), state));
    const isPlain = statementsFor(dataSource).isPlain && !checked.some(({ hasMore }) => hasMore);
    const rows = checked.map(({ row }) => row);
    await (isPlain ? insert : insertByTypeOrm)(queryRunner, rows, states);
    await notify(queryRunner, "AfterInsert", states);
  });
}

/** TypeORM does not export it. */
type BroadcasterResult = Parameters<QueryRunner["broadcaster"]["broadcastBeforeInsertEvent"]>[0];

/** All states at once, as TypeORM's `insert` does: the method `broadcast` takes one at a time, and takes longer. */
async function notify(
  { broadcaster, manager }: QueryRunner,
  event: "BeforeInsert" | "AfterInsert",
  states: TaskRunState[],
): Promise<void> {
  const metadata = dataSourceOf(manager).getMetadata(TaskRunState);
  const result = { count: 0, promises: [] } as unknown as BroadcasterResult;
  try {
    for (const state of states) broadcaster[`broadcast${event}Event`](result, metadata, state);
  } catch (error) {
    result.promises.push(Promise.reject(error)); // The promises so far may reject too, which would end the process.
  }
  await Promise.all(result.promises);
}

const insertOne: Insert = async (queryRunner, [row], states) => {
  const { insert, jsonColumns } = statementsFor(dataSourceOf(queryRunner.manager));
  const { type, ...written } = row as NewRow;
  const values = INSERT_PARAMETERS.map((column) => toParameter(written[column], jsonColumns.has(column)));
  fillIn(states, await queryStates(queryRunner, insert[type], ...values));
};

const insertMany: Insert = async (queryRunner, rows, states) => {
  const { insertMany, jsonColumns } = statementsFor(dataSourceOf(queryRunner.manager));
  const values = WRITTEN_COLUMNS.map((column) => {
    const ofAll = rows.map((row) => row[column]);
    return toParameter(ofAll, jsonColumns.has(column));
  });
  fillIn(states, await queryStates(queryRunner, insertMany, ...values));
};

/** PostgreSQL's `NULL` and the `null` of JSON are two values. */
function toParameter(value: unknown, isJson: boolean): unknown {
  return isJson && value !== null ? JSON.stringify(value) : value;
}

/** By id, since RETURNING promises no order, and Citus keeps none. */
function fillIn(states: TaskRunState[], stored: TaskRunState[]): void {
  const byId = new Map(stored.map((state) => [state.id, state]));
  for (const state of states) Object.assign(state, byId.get(state.id.toLowerCase()));
}

/** PostgreSQL takes 65,535 values in a statement, as many as there are columns for each state. */
const PIECE = 500;

/** Leaves it to TypeORM, which knows what a host has added to the entity: in pieces, and all of them or none. */
const insertByTypeOrm: Insert = (queryRunner, rows, states) => {
  const byId = new Map(states.map((state) => [state.id.toLowerCase(), state]));
  const insertAll = async (manager: EntityManager) => {
    for (let start = 0; start < rows.length; start += PIECE) {
      const piece = rows.slice(start, start + PIECE);
      // As SQL, since TypeORM cuts a time to milliseconds.
      const values = piece.map(({ timestamp }, index) => {
        const clock = `statement_timestamp() + ${index} * interval '1 microsecond'`;
        return { ...states[start + index], timestamp: () => (timestamp ? `'${timestamp}'` : clock) };
      });
      const insertion = manager.createQueryBuilder().insert().into(TaskRunState).values(values);
      await insertion.callListeners(false).execute();
      const where = { id: In(piece.map(({ id }) => id)) };
      const selection = manager.createQueryBuilder(TaskRunState, "state").setFindOptions({ where });
      for (const stored of await selection.callListeners(false).getMany()) {
        turnInto(byId.get(stored.id) as TaskRunState, stored);
      }
    }
  };
  const { manager } = queryRunner;
  return queryRunner.isTransactionActive ? insertAll(manager) : manager.transaction(insertAll);
};

/** Leaves nothing that is not read, and calls no getter: that of a lazy relation would load it. */
function turnInto(state: TaskRunState, stored: TaskRunState): void {
  for (const property of Object.keys(state)) Reflect.deleteProperty(state, property);
  Object.defineProperties(state, Object.getOwnPropertyDescriptors(stored));
}
