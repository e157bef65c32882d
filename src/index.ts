export type { JsonValue } from "./entities/json-value";
export type { StateDetails } from "./entities/state-details";
export { StateType, TERMINAL_STATE_TYPES } from "./entities/state-type";
export { TaskRunState } from "./entities/task-run-state.entity";
export { migrations } from "./migrations";
export { CreateTaskRunState1795305600000 } from "./migrations/1795305600000-CreateTaskRunState";
export { InvalidUuidError } from "./services/invalid-uuid.error";
export { TaskRunStateService } from "./services/task-run-state.service";
export { withPreparedStatements } from "./services/with-prepared-statements";
