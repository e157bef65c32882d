import type { JsonValue } from "./json-value";

/**
 * What is known about a state beyond its type, name and message. The keys are Prefect's, as stored in the
 * column `state_details`: ids are UUIDs, times are ISO 8601 strings.
 *
 * Every key may be missing or null: Prefect writes all of them, with explicit nulls, and older rows hold `{}`.
 * Keys that are not listed here are kept as they are.
 */
export interface StateDetails {
  flow_run_id?: string | null;
  task_run_id?: string | null;
  child_flow_run_id?: string | null;
  /** When the run is due. Set to the time of insertion for a `SCHEDULED` state without one. */
  scheduled_time?: string | null;
  cache_key?: string | null;
  cache_expiration?: string | null;
  deferred?: boolean | null;
  untrackable_result?: boolean | null;
  pause_timeout?: string | null;
  pause_reschedule?: boolean | null;
  pause_key?: string | null;
  run_input_keyset?: Record<string, string> | null;
  refresh_cache?: boolean | null;
  retriable?: boolean | null;
  transition_id?: string | null;
  task_parameters_id?: string | null;
  traceparent?: string | null;
  deployment_concurrency_lease_id?: string | null;
  [key: string]: JsonValue | undefined;
}
