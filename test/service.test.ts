import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { recordTaskRunStates, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import {
  insertRecordedStates,
  type RecordedState,
  recordedRuns,
  recordedStates,
} from "../scripts/prefect/history";
import { useDatabase } from "./support/database";
import { fullState } from "./support/documented-table";
import { record } from "./support/record";

// Read this file first: what the three methods do, without anything that goes wrong.

const database = useDatabase();
const service = new TaskRunStateService();
let manager: EntityManager;

beforeAll(async () => {
  ({ manager } = await database.connect());
});

/** A task run that fails, is retried and completes. */
async function recordRetriedRun(): Promise<{ taskRunId: string; states: TaskRunState[] }> {
  const taskRunId = randomUUID();
  const states = await recordTaskRunStates(manager, [
    { taskRunId, type: "PENDING" },
    { taskRunId, type: "RUNNING" },
    { taskRunId, type: "SCHEDULED", name: "AwaitingRetry" },
    { taskRunId, type: "RUNNING", name: "Retrying" },
    { taskRunId, type: "COMPLETED" },
  ]);
  return { taskRunId, states };
}

describe("a host", () => {
  test("lists the states of a task run, from the first to the last", async () => {
    const { taskRunId } = await recordRetriedRun();
    const states = await service.readTaskRunStates(manager, taskRunId);
    expect(states.map(({ name }) => name)).toEqual([
      "Pending",
      "Running",
      "AwaitingRetry",
      "Retrying",
      "Completed",
    ]);
  });

  test("reads one of them by its id", async () => {
    const { states } = await recordRetriedRun();
    for (const state of states) {
      expect(await service.readTaskRunState(manager, state.id)).toStrictEqual(state);
    }
  });

  test("deletes one, which is gone then, and leaves the others as they are, also those of other task runs", async () => {
    const { taskRunId, states } = await recordRetriedRun();
    const other = await recordRetriedRun();
    const [first, ...rest] = states;
    expect(await service.deleteTaskRunState(manager, first?.id ?? "")).toBe(true);
    expect(await service.readTaskRunState(manager, first?.id ?? "")).toBeNull();
    expect(await service.readTaskRunStates(manager, taskRunId)).toEqual(rest);
    expect(await service.readTaskRunStates(manager, other.taskRunId)).toEqual(other.states);
  });

  test("does all of it in its own transaction, whose rollback undoes it", async () => {
    const { taskRunId, states } = await recordRetriedRun();
    const rollback = new Error("Roll back");
    const transaction = manager.transaction(async (manager) => {
      for (const { id } of states) await service.deleteTaskRunState(manager, id);
      const { id } = await record(manager, { taskRunId });
      expect((await service.readTaskRunStates(manager, taskRunId)).map((state) => state.id)).toEqual([id]);
      throw rollback;
    });
    await expect(transaction).rejects.toBe(rollback);
    expect(await service.readTaskRunStates(manager, taskRunId)).toEqual(states);
  });

  test("gets null, an empty list and false for ids that nothing has", async () => {
    expect(await service.readTaskRunState(manager, randomUUID())).toBeNull();
    expect(await service.readTaskRunStates(manager, randomUUID())).toEqual([]);
    expect(await service.deleteTaskRunState(manager, randomUUID())).toBe(false);
  });
});

test.each([
  "ffffffff-ffff-ffff-ffff-ffffffffffff",
  "00000000-0000-0000-0000-000000000000",
  "01a202e3-518d-4ab3-c674-4b13d969cbbd",
])("an id is found in any case, and of any version and variant: %s", async (id) => {
  const { taskRunId } = await record(manager, { id, taskRunId: id });
  expect((await service.readTaskRunState(manager, id.toUpperCase()))?.id).toBe(id);
  expect(await service.readTaskRunStates(manager, taskRunId.toUpperCase())).toHaveLength(1);
  expect(await service.deleteTaskRunState(manager, id.toUpperCase())).toBe(true);
});

test("every property comes back as it was recorded", async () => {
  const given = fullState();
  const { id } = await record(manager, given);
  const byPostgres = { created: expect.any(Date), updated: expect.any(Date) };
  expect({ ...(await service.readTaskRunState(manager, id)) }).toStrictEqual({ ...given, ...byPostgres });
});

describe("of what a Prefect server recorded", () => {
  beforeAll(() => insertRecordedStates(manager));

  const asEntity = (recorded: RecordedState) => ({
    id: recorded.id,
    created: new Date(recorded.created),
    updated: new Date(recorded.updated),
    type: recorded.type,
    timestamp: new Date(recorded.timestamp),
    name: recorded.name,
    message: recorded.message,
    stateDetails: recorded.state_details,
    data: recorded.data,
    taskRunId: recorded.task_run_id,
    resultArtifactId: recorded.result_artifact_id,
  });

  test("each of the 281 states is read as it was recorded, property by property", async () => {
    expect(recordedStates).toHaveLength(281);
    for (const recorded of recordedStates) {
      const state = await service.readTaskRunState(manager, recorded.id);
      expect(state).toBeInstanceOf(TaskRunState);
      expect(state).toMatchObject(asEntity(recorded));
    }
  });

  test("each of the ten task runs lists in the recorded order", async () => {
    expect(recordedRuns.size).toBe(10);
    for (const [taskRunId, recorded] of recordedRuns) {
      const states = await service.readTaskRunStates(manager, taskRunId);
      expect(states).toMatchObject(recorded.map(asEntity));
      expect(states.every((state) => state instanceof TaskRunState)).toBe(true);
    }
  });
});
