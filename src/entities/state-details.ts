import type { JsonValue } from "./json-value";

/**
 * What is known about a state beyond its type, name and message: `StateDetails` of Prefect 3.9.1
 * (`prefect/server/schemas/states.py`), with its keys as the column holds them. Ids are UUIDs, times are ISO 8601 strings.
 *
 * Every key may be missing or null: Prefect writes all of them, with explicit nulls, and older rows hold `{}`.
 * Keys that are not listed here are kept as they are. A value of an interface of your own needs a spread, since an
 * interface has no index signature: `stateDetails: { ...details }`.
 */
export interface StateDetails {
  flow_run_id?: string | null | undefined;
  task_run_id?: string | null | undefined;
  child_flow_run_id?: string | null | undefined;
  /** When the run is due. Set to the time of insertion for a `SCHEDULED` state without one. */
  scheduled_time?: string | null | undefined;
  cache_key?: string | null | undefined;
  cache_expiration?: string | null | undefined;
  deferred?: boolean | null | undefined;
  untrackable_result?: boolean | null | undefined;
  pause_timeout?: string | null | undefined;
  pause_reschedule?: boolean | null | undefined;
  pause_key?: string | null | undefined;
  run_input_keyset?: Record<string, string> | null | undefined;
  refresh_cache?: boolean | null | undefined;
  retriable?: boolean | null | undefined;
  transition_id?: string | null | undefined;
  task_parameters_id?: string | null | undefined;
  traceparent?: string | null | undefined;
  deployment_concurrency_lease_id?: string | null | undefined;
  [key: string]: JsonValue | undefined;
}
