/**
 * What a task run is doing, for programs. A state's `name` is for people.
 *
 * `StateType` of Prefect 3.9.1 (`prefect/server/schemas/states.py`), and the labels of the PostgreSQL type
 * `task_run_state_type`, in the order in which PostgreSQL sorts them.
 */
export const StateType = {
  SCHEDULED: "SCHEDULED",
  PENDING: "PENDING",
  RUNNING: "RUNNING",
  COMPLETED: "COMPLETED",
  FAILED: "FAILED",
  CANCELLED: "CANCELLED",
  CRASHED: "CRASHED",
  PAUSED: "PAUSED",
  CANCELLING: "CANCELLING",
} as const;
export type StateType = keyof typeof StateType;

/** The types in which a task run has ended: `TERMINAL_STATES` of the same file. */
export const TERMINAL_STATE_TYPES: ReadonlySet<StateType> = new Set([
  StateType.COMPLETED,
  StateType.CANCELLED,
  StateType.FAILED,
  StateType.CRASHED,
]);
