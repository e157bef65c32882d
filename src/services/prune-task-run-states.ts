import type { EntityManager, QueryRunner } from "typeorm";

import { assertBoolean, assertCount, assertDate, assertManager, assertUuid } from "./arguments";
import { dataSourceOf } from "./data-source-of";
import { withQueryRunner } from "./execute";
import { statementsFor } from "./statements";

export interface PruneOptions {
  /** Deletes a history when its task run has finished, and its latest state is older than this. */
  before: Date;
  /** How many task runs one step looks at, at most; 1,000 unless set. A step deletes ten times as many states, at most. */
  batch?: number | undefined;
  /** The `after` of an earlier step: looks only at the task runs behind that one, in the order of their ids. */
  after?: string | undefined;
  /** Counts what would be deleted, and deletes nothing. */
  dryRun?: boolean | undefined;
}

export interface PruneStep {
  /** How many task runs this step is done with. */
  taskRunsSeen: number;
  /** How many of them lost their history, or the rest of it; in a dry run, would lose it. */
  taskRuns: number;
  /** How many states it deleted; in a dry run, would delete. */
  states: number;
  /** The id of the last task run that the steps are done with; undefined when there is none yet. */
  after: string | undefined;
}

/**
 * Deletes the whole histories of finished task runs: of those whose latest state, by `timestamp` and then `id`, is
 * COMPLETED, FAILED, CANCELLED or CRASHED and older than `before`.
 *
 * Each step is one SQL statement through the caller's manager. On `dataSource.manager` each step commits by itself: stop
 * after any of them, and continue from its `after` at any time. A step checks a task run by the states that are committed
 * when the step begins, and deletes none that is recorded later.
 *
 * A history that has more states than a step deletes is deleted in parts, the earliest states first. Its latest state is
 * deleted last, so that the rest is still a history that has finished. A dry run counts all of it in one step.
 *
 * When a step fails, its error reaches the caller as TypeORM throws it, with one more property: `after`, from which to continue.
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

/** A step deletes so many times as many states as it looks at task runs, at most. */
const STATES_FOR_EACH = 10;

/** A step as PostgreSQL answers it: `pg` leaves counts, which are of type bigint, as text. */
interface Row {
  taskRunsSeen: string;
  taskRuns: string;
  states: string;
  /** null when it came to the end of no history. */
  after: string | null;
  /** One where it stopped before the last task run, or else zero. */
  stopped: string;
}

async function* steps(
  manager: EntityManager,
  before: Date,
  batch: number,
  dryRun: boolean,
  start: string | undefined,
): AsyncGenerator<PruneStep> {
  let last = start;
  let stopped: string;
  do {
    const sql = statementsFor(dataSourceOf(manager)).prune(dryRun, last !== undefined);
    const parameters = [before, batch, batch * STATES_FOR_EACH, ...(last === undefined ? [] : [last])];
    const query = (queryRunner: QueryRunner): Promise<[Row]> => queryRunner.query(sql, parameters);
    const [row] = await withQueryRunner(manager, query).catch((error: unknown) => {
      throw Object.assign(error as object, { after: last });
    });
    last = row.after ?? last;
    stopped = row.stopped;
    const step = {
      taskRunsSeen: Number(row.taskRunsSeen),
      taskRuns: Number(row.taskRuns),
      states: Number(row.states),
      after: last,
    };
    if (step.taskRunsSeen > 0 || step.states > 0) yield step;
  } while (Number(stopped) > 0);
}
