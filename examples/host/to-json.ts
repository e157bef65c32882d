import type { TaskRunState } from "typeorm-task-run-state";

/** A state as Prefect's server answers it: these keys in this order, times in UTC. */
export function toJson({ id, type, name, timestamp, message, data, stateDetails }: TaskRunState) {
  return { id, type, name, timestamp, message, data, state_details: stateDetails };
}
