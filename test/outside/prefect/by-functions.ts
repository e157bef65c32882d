import type { StateJson } from "./differences";

/** All states and lists by Prefect's own functions, as `functions.py` returns them. */
export interface ByFunctions {
  states: Record<string, StateJson>;
  lists: Record<string, StateJson[]>;
  /** What Prefect makes of a `state_details` without keys. */
  default_details: object;
}
