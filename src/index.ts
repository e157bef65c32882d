import { CreateTaskRunState1795305600000 } from "./migrations/1795305600000-CreateTaskRunState";

export type { JsonValue } from "./entities/json-value";
export type { StateDetails } from "./entities/state-details";
export { StateType, TERMINAL_STATE_TYPES } from "./entities/state-type";
export { TaskRunState } from "./entities/task-run-state.entity";
export { InvalidUuidError } from "./services/invalid-uuid.error";
export { type PruneOptions, type PruneStep, pruneTaskRunStates } from "./services/prune-task-run-states";
export { TaskRunStateService } from "./services/task-run-state.service";
export { withPreparedStatements } from "./services/with-prepared-statements";
export { CreateTaskRunState1795305600000 };

/** Every migration of this package, for a data source's `migrations`: a later one arrives without an edit. */
export const migrations = [CreateTaskRunState1795305600000];
