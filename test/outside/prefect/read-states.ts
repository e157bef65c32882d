import { deepEqual, equal } from "node:assert/strict";
import type { TaskRunState } from "typeorm-task-run-state";

import { toAnswers } from "../../../examples/prefect/answer";
import type { ByFunctions } from "./by-functions";
import { differences, parsed, type StateJson } from "./differences";
import { ask, assertNone, columnsOf, type Live, readRows, service } from "./live";

/** Reads each state and each list, and compares with the rows, with Prefect's functions and with its routes. */
export async function readStates(
  { prefect, dataSource }: Pick<Live, "prefect" | "dataSource">,
  original: ByFunctions,
): Promise<string> {
  const { manager } = dataSource;
  const rows = await readRows(manager);
  equal(Object.keys(original.states).length, rows.size);

  /** The state as Prefect's functions give it: parsed, and with the data of its artifact. */
  const readAsPrefect = async (states: TaskRunState[]) => {
    const answers = await toAnswers(manager, states);
    return states.map((state, index) =>
      parsed({ ...columnsOf(state), data: answers[index]?.data }, original.default_details),
    );
  };
  const found: string[] = [];
  const compare = (ours: unknown, theirs: unknown, what: string) =>
    found.push(...differences(ours, theirs).map((difference) => `${what}: ${difference}`));

  const sample: { ours: StateJson; theirs: StateJson }[] = [];
  for (const [id, row] of rows) {
    const state = await service.readTaskRunState(manager, id);
    const states = state ? [state] : [];
    const [ours = {}] = await readAsPrefect(states);
    const theirs = original.states[id] ?? {};
    compare(states.map(columnsOf)[0], row, `row ${id}`);
    compare(ours, theirs, `function ${id}`);
    compare(answerOf(ours), (await ask(prefect.url, `/task_run_states/${id}`)).body, `route ${id}`);
    sample.push({ ours, theirs });
  }
  const runs = Object.entries(original.lists);
  for (const [run, theirs] of runs) {
    const ours = await readAsPrefect(await service.readTaskRunStates(manager, run));
    const { body } = await ask(prefect.url, `/task_run_states/?task_run_id=${run}`);
    compareLists(compare, ours, theirs, `functions ${run}`);
    compareLists(compare, ours.map(answerOf), body as StateJson[], `route ${run}`);
  }
  assertNone(found);
  seesPlantedDifferences(sample);
  return `${rows.size} states and ${runs.length} lists, 0 differences to the rows, Prefect's functions and its routes; 3 of 3 planted ones seen`;
}

function compareLists(
  compare: (ours: unknown, theirs: unknown, what: string) => void,
  ours: StateJson[],
  theirs: StateJson[],
  what: string,
): void {
  compare(ours.length, theirs.length, `${what}: length`);
  for (const [index, state] of ours.entries()) compare(state, theirs[index], what);
}

/** Prefect's routes leave four columns out. */
function answerOf({ created, updated, task_run_id, result_artifact_id, ...answer }: StateJson): StateJson {
  return answer;
}

/** Changes one microsecond, one key and one `data`. */
function seesPlantedDifferences(sample: { ours: StateJson; theirs: StateJson }[]): void {
  const plants: ((state: StateJson) => StateJson)[] = [
    (state) => ({ ...state, timestamp: oneMicrosecondOff(String(state.timestamp)) }),
    (state) => ({ ...state, state_details: { ...(state.state_details as object), cache_key: "planted" } }),
    (state) => ({ ...state, data: "planted" }),
  ];
  const seen = sample.flatMap(({ ours, theirs }, index) =>
    differences(plants[index]?.(ours) ?? ours, theirs),
  );
  deepEqual(
    seen.map((difference) => difference.split(":")[0]),
    ["timestamp", "state_details.cache_key", "data"],
  );
}

function oneMicrosecondOff(time: string): string {
  return time.replace(/\d(?=Z$)/, (digit) => String(digit === "9" ? 8 : Number(digit) + 1));
}
