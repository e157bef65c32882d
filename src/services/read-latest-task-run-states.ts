import { type EntityManager, Raw } from "typeorm";

import type { TaskRunState } from "../entities/task-run-state.entity";
import { assertArray, assertManager, assertUuid } from "./arguments";
import { dataSourceOf } from "./data-source-of";
import { findTaskRunStates } from "./execute";
import { statementsFor } from "./statements";

/**
 * Reads the latest state of each of these task runs, by `timestamp` and then `id`, in one SQL statement. However long the
 * histories are, it reads two rows of each, and one more for each further state of the latest time.
 *
 * @returns the states by task run: each id as it was given, in the same order. A task run without states is not in it.
 * @throws {InvalidUuidError} when an id is not a UUID; its `parameter` says which, such as `taskRunIds[3]`.
 * @throws {TypeError} when the manager is not an `EntityManager`, or the ids are not an array.
 * @throws {EntityMetadataNotFoundError} when `TaskRunState` is not among the entities of its data source.
 *
 * @example
 * const latest = await readLatestTaskRunStates(manager, taskRunIds);
 * for (const [taskRunId, { name, timestamp }] of latest) console.log(taskRunId, name, timestamp);
 */
export async function readLatestTaskRunStates(
  manager: EntityManager,
  taskRunIds: readonly string[],
): Promise<Map<string, TaskRunState>> {
  assertManager(manager);
  assertArray("taskRunIds", taskRunIds);
  /** By the ids as they were given, the ids as PostgreSQL writes them. */
  const asked = new Map<string, string>();
  for (const [index, id] of taskRunIds.entries()) {
    assertUuid(`taskRunIds[${index}]`, id);
    asked.set(id, id.toLowerCase());
  }
  const latest = new Map<string, TaskRunState>();
  if (asked.size === 0) return latest;
  const ids = [...new Set(asked.values())];
  const { latestIds } = statementsFor(dataSourceOf(manager));
  const id = Raw((column) => `${column} IN (${latestIds})`, { taskRunIds: ids });
  const states = await findTaskRunStates(manager, "latest", ids, { id });
  const byTaskRun = new Map(states.map((state) => [state.taskRunId, state]));
  for (const [given, taskRunId] of asked) {
    const state = byTaskRun.get(taskRunId);
    if (state) latest.set(given, state);
  }
  return latest;
}
