import { recordedStates } from "../../scripts/prefect/history";
import type { NewState } from "./contender";

/** The task run to which all written states belong. `tidy` removes them. */
export const SCRATCH_RUN = "019abd2c-7e00-7000-8000-000000000000";

/** States of the scratch run, with the contents that Prefect recorded, from one of them on. */
export const newStates = (first: number, count: number): NewState[] =>
  Array.from({ length: count }, (_, n) => newState(first + n));

function newState(number: number): NewState {
  const recorded = recordedStates[number % recordedStates.length];
  if (!recorded) throw new Error("There are no recorded states");
  return {
    type: recorded.type,
    name: recorded.name,
    message: recorded.message,
    stateDetails: recorded.state_details,
    data: recorded.data,
    taskRunId: SCRATCH_RUN,
    resultArtifactId: null,
  };
}
