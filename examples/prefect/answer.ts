import type { EntityManager } from "typeorm";
import type { TaskRunState } from "typeorm-task-run-state";

/**
 * The states as Prefect's routes answer them: these keys in this order. A state without `data` of its own has that of
 * its artifact, if any, as in Prefect. Rows that Prefect 2 wrote lack `deferred`, for which Prefect's client has another
 * default than its server.
 */
export async function toAnswers(manager: EntityManager, states: TaskRunState[]) {
  const artifactData = await readArtifactData(manager, states);
  return states.map(({ id, type, name, timestamp, message, data, stateDetails, resultArtifactId }) => ({
    id,
    type,
    name,
    timestamp,
    message,
    data: data ?? artifactData.get(resultArtifactId) ?? null,
    state_details: { deferred: false, ...stateDetails },
  }));
}

/** Sends one query for all the states that need it, and none when none does. */
async function readArtifactData(
  manager: EntityManager,
  states: TaskRunState[],
): Promise<Map<string | null, unknown>> {
  const ids = states
    .filter(({ data, resultArtifactId }) => data === null && resultArtifactId !== null)
    .map(({ resultArtifactId }) => resultArtifactId);
  if (ids.length === 0) return new Map();
  const artifacts = await manager.query("SELECT id, data FROM artifact WHERE id = ANY($1)", [ids]);
  return new Map(artifacts.map(({ id, data }: { id: string; data: unknown }) => [id, data]));
}
