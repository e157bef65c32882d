import type { EntityManager, QueryRunner } from "typeorm";

import { assertBoolean, assertCount, assertDate, assertManager, assertUuid } from "./arguments";
import { dataSourceOf, withQueryRunner } from "./execute";
import { statementsFor } from "./statements";

export interface PruneOptions {
  /** A history goes when its task run has finished, and its latest state is older than this. */
  before: Date;
  /** How many task runs one step looks at, at most; 1,000 unless set. */
  batch?: number;
  /** The `after` of an earlier step: looks only at the task runs behind that one, in the order of their ids. */
  after?: string;
  /** Counts what would go, and deletes nothing. */
  dryRun?: boolean;
}

export interface PruneStep {
  /** How many task runs this step looked at. */
  taskRunsSeen: number;
  /** How many of them lost their history; in a dry run, would lose it. */
  taskRuns: number;
  /** How many states these histories had. */
  states: number;
  /** The id of the last task run that this step looked at. */
  after: string;
}

/**
 * Deletes the whole histories of finished task runs: of those whose latest state, by `timestamp` and then `id`, is
 * COMPLETED, FAILED, CANCELLED or CRASHED and older than `before`.
 *
 * Each step is one SQL statement through the caller's manager. On `dataSource.manager` each step commits by itself: stop
 * after any of them, and go on from its `after` at any time. A step judges a task run by the states that are committed when
 * the step begins, and deletes none that is recorded later.
 *
 * @returns the steps, each of which runs when it is asked for; none when there is no task run to look at.
 * @throws {InvalidUuidError} when `after` is not a UUID.
 * @throws {TypeError} when the manager is not an `EntityManager`, `before` not a `Date`, `batch` not a number or `dryRun` not a boolean.
 * @throws {RangeError} when `before` is an invalid date, or `batch` not a whole number from 1 on.
 * @throws {EntityMetadataNotFoundError} when `TaskRunState` is not among the entities of its data source.
 *
 * @example
 * const before = new Date(Date.now() - 90 * 24 * 60 * 60 * 1000);
 * for await (const step of pruneTaskRunStates(dataSource.manager, { before })) console.log(step);
 */
export function pruneTaskRunStates(manager: EntityManager, options: PruneOptions): AsyncGenerator<PruneStep> {
  assertManager(manager);
  const { before, batch = 1000, after, dryRun = false } = options ?? {};
  assertDate("before", before);
  assertCount("batch", batch);
  assertBoolean("dryRun", dryRun);
  if (after !== undefined) assertUuid("after", after);
  return steps(manager, new Date(before), batch, dryRun, after);
}

/** A step as PostgreSQL answers it: `pg` leaves counts, which are of type bigint, as text. */
type Row = Record<keyof PruneStep, string>;

async function* steps(manager: EntityManager, before: Date, batch: number, dryRun: boolean, start?: string) {
  let last = start;
  let seen: number;
  do {
    const sql = statementsFor(dataSourceOf(manager)).prune(dryRun, last !== undefined);
    const parameters = last === undefined ? [before, batch] : [before, batch, last];
    const query = (queryRunner: QueryRunner): Promise<[Row]> => queryRunner.query(sql, parameters);
    const [{ taskRunsSeen, taskRuns, states, after }] = await withQueryRunner(manager, query);
    seen = Number(taskRunsSeen);
    last = after;
    if (seen > 0) yield { taskRunsSeen: seen, taskRuns: Number(taskRuns), states: Number(states), after };
  } while (seen === batch);
}
