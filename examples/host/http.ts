import { InvalidUuidError, StateType, type TaskRunState } from "typeorm-task-run-state";

import { EXAMPLE_TASK_RUN_ID } from "./1795219200000-CreateTaskRun";

/** A state as Prefect's server answers it: these keys in this order, times in UTC. */
export function toJson({ id, type, name, timestamp, message, data, stateDetails }: TaskRunState) {
  return { id, type, name, timestamp, message, data, state_details: stateDetails };
}

/**
 * What a client is told of an error, as by Prefect's server: a malformed id in the path is unknown, a malformed query
 * unprocessable. Of an error that is not the client's it learns nothing.
 */
export function answerTo(error: Error & { status?: number }): { status: number; detail: string } {
  const { status = 500, message: detail } = error;
  if (error instanceof InvalidUuidError)
    return { status: error.parameter === "taskRunId" ? 422 : 404, detail };
  return status < 500 ? { status, detail } : { status: 500, detail: "Internal Server Error" };
}

/** The body of a request that sets the state of a task run. */
export interface NewState {
  type: StateType;
  name?: string;
  message?: string;
}

export const NEW_STATE_EXPECTED =
  `Expected a JSON object with "type", one of ${Object.keys(StateType).join(", ")}, ` +
  `optionally "name" and "message", both strings without the character U+0000, and nothing else`;

export function isNewState(body: unknown): body is NewState {
  if (typeof body !== "object" || body === null) return false;
  const { type, name, message, ...others } = body as Record<string, unknown>;
  return (
    Object.values<unknown>(StateType).includes(type) &&
    isOptionalText(name) &&
    isOptionalText(message) &&
    Object.keys(others).length === 0
  );
}

/** PostgreSQL stores every character but U+0000. */
function isOptionalText(value: unknown): boolean {
  return value === undefined || (typeof value === "string" && !value.includes("\0"));
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;

export function isUuid(id: string): boolean {
  return UUID.test(id);
}

/** How long requests in progress have to finish. Then connections are closed, also those that ask nothing. */
export const SHUTDOWN_MS = 5000;

/** What to type next, for whoever has just started the example. */
export function hint(url: string): string {
  return `Listening on ${url}. In another terminal, set a state and list the history:

  curl ${url}/api/task_runs/${EXAMPLE_TASK_RUN_ID}/states -H content-type:application/json -d '{"type":"RUNNING"}'
  curl '${url}/api/task_run_states/?task_run_id=${EXAMPLE_TASK_RUN_ID}'
`;
}
