import { deepEqual, equal, ok } from "node:assert/strict";
import { recordTaskRunState, StateType, TaskRunState } from "typeorm-task-run-state";

import { ask, type Live, service } from "./live";

const NAME = "Checked by the host";

/** Prefect lists the names of the states that its tables hold: those that a host recorded, until it deletes them. */
export async function listObservedStates(live: Live): Promise<string> {
  const { prefect, dataSource, isNewest } = live;
  const readObserved = () => ask(prefect.url, `/observed-states?query=${encodeURIComponent(NAME)}`);
  const before = await readObserved();
  if (before.status === 404 && !isNewest) return "this Prefect has no such list";
  deepEqual(before, { status: 200, body: [] });

  const [existing] = await dataSource.manager.find(TaskRunState, { take: 1 });
  ok(existing);
  const { taskRunId } = existing;
  const type = StateType.RUNNING;
  const { id, timestamp } = await recordTaskRunState(dataSource.manager, { taskRunId, type, name: NAME });
  const [observed] = (await readObserved()).body as Record<string, string>[];
  ok(observed);
  const { state_type, state_name, first_seen, last_seen } = observed;
  const seen = timestamp.toISOString();
  deepEqual(
    { state_type, state_name, first_seen, last_seen },
    { state_type: type, state_name: NAME, first_seen: seen, last_seen: seen },
  );

  equal(await service.deleteTaskRunState(dataSource.manager, id), true);
  deepEqual(await readObserved(), { status: 200, body: [] });
  return "the name of a recorded state appeared with its time, and went when it was deleted";
}
