import { EXAMPLE_TASK_RUN_ID } from "./1795219200000-CreateTaskRun";

/** What to type next, for whoever has just started the example. */
export function hint(url: string): string {
  return `Listening on ${url}. In another terminal, set a state and list the history:

  curl ${url}/api/task_runs/${EXAMPLE_TASK_RUN_ID}/states -H content-type:application/json -d '{"type":"RUNNING"}'
  curl '${url}/api/task_run_states/?task_run_id=${EXAMPLE_TASK_RUN_ID}'
`;
}
