/** What people ask most of the history beyond the service's methods. docs/recipes.md explains each of these. */
import { type EntityManager, MoreThanOrEqual } from "typeorm";
import {
  assertUuid,
  type NewTaskRunState,
  readLatestTaskRunStates,
  recordTaskRunState,
  TaskRunState,
  TERMINAL_STATE_TYPES,
} from "typeorm-task-run-state";

/**
 * Records the state unless the task run has ended, and resolves to null when it has. Writers of one task run wait for each
 * other until their transactions end, which are to be READ COMMITTED.
 */
export function recordUnlessEnded(
  manager: EntityManager,
  state: NewTaskRunState,
): Promise<TaskRunState | null> {
  const { taskRunId } = state;
  return manager.transaction(async (manager) => {
    await manager.query("SELECT pg_advisory_xact_lock(hashtextextended(lower($1), 0))", [taskRunId]);
    const latest = (await readLatestTaskRunStates(manager, [taskRunId])).get(taskRunId);
    return latest && TERMINAL_STATE_TYPES.has(latest.type) ? null : recordTaskRunState(manager, state);
  });
}

/** By the table's clock, which counts microseconds. The latest state has `null`. */
export async function durations(
  manager: EntityManager,
  taskRunId: string,
): Promise<{ name: string; seconds: number | null }[]> {
  assertUuid("taskRunId", taskRunId);
  const next = "lead(state.timestamp) OVER (ORDER BY state.timestamp, state.id)";
  return manager
    .createQueryBuilder(TaskRunState, "state")
    .select("state.name", "name")
    .addSelect(`extract(epoch FROM ${next} - state.timestamp)::float`, "seconds")
    .where("state.taskRunId = :taskRunId", { taskRunId })
    .orderBy("state.timestamp")
    .addOrderBy("state.id")
    .getRawMany();
}

/** The first 100 states, or the 100 behind a place; and the place behind these, unless there are fewer. */
export async function page(
  manager: EntityManager,
  taskRunId: string,
  after?: string,
): Promise<{ states: TaskRunState[]; next: string | null }> {
  assertUuid("taskRunId", taskRunId);
  const query = manager
    .createQueryBuilder(TaskRunState, "state")
    .addSelect("(extract(epoch FROM state.timestamp) * 1000000)::bigint", "microseconds")
    .where("state.taskRunId = :taskRunId", { taskRunId })
    .orderBy("state.timestamp")
    .addOrderBy("state.id")
    .limit(100);
  if (after !== undefined) {
    const [, microseconds = "", id] = /^(-\d{1,17}|\d{1,18}):(.*)$/.exec(after) ?? [];
    assertUuid("after", id);
    const time = "timestamptz 'epoch' + CAST(:time AS interval)";
    query.andWhere(`(state.timestamp, state.id) > (${time}, :id)`, { time: `${microseconds} us`, id });
  }
  const { entities: states, raw } = await query.getRawAndEntities<{ microseconds: string }>();
  const last = raw.length < 100 ? undefined : raw.at(-1);
  return { states, next: last ? `${last.microseconds}:${states.at(-1)?.id}` : null };
}

/** Only where this module made all ids. */
export function insertedSince(manager: EntityManager, since: Date): Promise<TaskRunState[]> {
  const hex = since.getTime().toString(16).padStart(12, "0");
  const first = `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
  return manager.find(TaskRunState, { where: { id: MoreThanOrEqual(first) }, order: { id: "ASC" } });
}
