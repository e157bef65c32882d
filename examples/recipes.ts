/** What people ask most of the history beyond the service's methods. docs/recipes.md explains each of these. */
import { type EntityManager, MoreThanOrEqual } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

export function latestState(manager: EntityManager, taskRunId: string): Promise<TaskRunState | null> {
  return manager.findOne(TaskRunState, {
    where: { taskRunId },
    order: { timestamp: "DESC", id: "DESC" },
  });
}

export function durations(
  manager: EntityManager,
  taskRunId: string,
): Promise<{ name: string; seconds: number | null }[]> {
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

/** The first 100 states, or the 100 that follow the state with the id `after`. */
export function page(manager: EntityManager, taskRunId: string, after?: string): Promise<TaskRunState[]> {
  const query = manager
    .createQueryBuilder(TaskRunState, "state")
    .where("state.taskRunId = :taskRunId", { taskRunId })
    .orderBy("state.timestamp")
    .addOrderBy("state.id")
    .limit(100);
  if (after !== undefined) {
    const time = query
      .subQuery()
      .select("last.timestamp")
      .from(TaskRunState, "last")
      .where("last.id = :after");
    query.andWhere(`(state.timestamp, state.id) > (${time.getQuery()}, :after)`, { after });
  }
  return query.getMany();
}

export function latestStates(manager: EntityManager, taskRunIds: string[]): Promise<TaskRunState[]> {
  return manager
    .createQueryBuilder(TaskRunState, "state")
    .distinctOn(["state.taskRunId"])
    .where("state.taskRunId = ANY(:taskRunIds)", { taskRunIds })
    .orderBy("state.taskRunId")
    .addOrderBy("state.timestamp", "DESC")
    .addOrderBy("state.id", "DESC")
    .getMany();
}

/** Only where this module made all ids. */
export function insertedSince(manager: EntityManager, since: Date): Promise<TaskRunState[]> {
  const hex = since.getTime().toString(16).padStart(12, "0");
  const first = `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`;
  return manager.find(TaskRunState, { where: { id: MoreThanOrEqual(first) }, order: { id: "ASC" } });
}
