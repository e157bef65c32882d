import { deepEqual, equal, ok } from "node:assert/strict";
import { existsSync } from "node:fs";

import { deleteWithResult } from "../../../examples/prefect/delete-with-result";
import { ask, type Live, service } from "./live";

/** A completed state with what is kept of its result. */
interface Completed {
  id: string;
  task_run_id: string;
  data: Record<string, unknown> | null;
  /** That of JSON; null where the column is NULL. */
  type_of_data: string | null;
  result_artifact_id: string | null;
  artifact_data: Record<string, unknown> | null;
}

const COMPLETED = `
  SELECT s.id, s.task_run_id, s.data, jsonb_typeof(s.data) AS type_of_data, s.result_artifact_id,
    artifact.data AS artifact_data
  FROM task_run_state s
  JOIN task_run ON task_run.id = s.task_run_id
  LEFT JOIN artifact ON artifact.id = s.result_artifact_id
  WHERE s.type = 'COMPLETED' AND s.name = 'Completed' AND task_key LIKE $1 ORDER BY s.id`;

/** Where Prefect keeps a result, what stays of it when its state is deleted, and how the rest goes. */
export async function keepResults(live: Live): Promise<string> {
  const { manager } = live.dataSource;
  const find = (taskKey: string): Promise<Completed[]> => manager.query(COMPLETED, [`${taskKey}%`]);
  const [unpersisted, persisted, overRest] = [
    await find("plain-"),
    await find("persisted-"),
    await find("over REST"),
  ];
  for (const states of [unpersisted, persisted, overRest]) ok(states.length > 0);
  for (const { type_of_data, result_artifact_id } of unpersisted) {
    deepEqual([type_of_data, result_artifact_id], [null, null]);
  }
  for (const { data, type_of_data, result_artifact_id, artifact_data } of persisted) {
    if (live.major === 2) equal(type_of_data, null);
    else equal(result_artifact_id, null);
    ok((data ?? artifact_data)?.storage_key);
  }
  for (const { type_of_data, result_artifact_id } of overRest) {
    equal(type_of_data, null);
    ok(result_artifact_id);
  }
  if (live.major > 2) await keepFile(live, persisted[0]);
  await eraseArtifact(live, overRest);
  return `${unpersisted.length} unpersisted results nowhere, ${persisted.length} persisted ones and ${overRest.length} over REST where the page says; 1 artifact stayed when its state was deleted, 1 was erased`;
}

/** A persisted result lies in a file, and what Prefect was told of the state in `events`. */
async function keepFile({ dataSource: { manager } }: Live, state: Completed | undefined): Promise<void> {
  ok(state);
  equal(await service.deleteTaskRunState(manager, state.id), true);
  ok(existsSync(String(state.data?.storage_key)));
  deepEqual(
    await manager.query("SELECT payload->'validated_state'->'data' AS data FROM events WHERE id = $1", [
      state.id,
    ]),
    [{ data: state.data }],
  );
}

async function eraseArtifact({ prefect, dataSource }: Live, states: Completed[]): Promise<void> {
  const [first, second, third] = states;
  ok(first && second && third);
  const readArtifact = ({ result_artifact_id: id }: Completed) => ask(prefect.url, `/artifacts/${id}`);

  equal(await service.deleteTaskRunState(dataSource.manager, first.id), true);
  const { status, body } = await readArtifact(first);
  deepEqual([status, (body as Completed).data], [200, first.artifact_data]);

  equal(await dataSource.transaction((manager) => deleteWithResult(manager, second.id)), true);
  equal(await dataSource.transaction((manager) => deleteWithResult(manager, second.id)), false);
  equal((await readArtifact(second)).status, 404);

  const url = `${prefect.url}/task_runs/${third.task_run_id}`;
  equal((await fetch(url, { method: "DELETE" })).status, 204);
  deepEqual(await service.readTaskRunStates(dataSource.manager, third.task_run_id), []);
  equal((await readArtifact(third)).status, 200);
}
