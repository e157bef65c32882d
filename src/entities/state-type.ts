/**
 * What a task run is doing, as far as any program needs to know. A state's `name` says it to people.
 *
 * The labels of the PostgreSQL type `task_run_state_type`, in the order in which PostgreSQL stores and sorts them: the same
 * as Prefect's.
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

/** The types of states that a task run stays in: as Prefect has it, once it is in one, it has ended. */
export const TERMINAL_STATE_TYPES: ReadonlySet<StateType> = new Set([
  StateType.COMPLETED,
  StateType.CANCELLED,
  StateType.FAILED,
  StateType.CRASHED,
]);
