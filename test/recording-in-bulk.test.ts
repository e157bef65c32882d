import { randomUUID } from "node:crypto";
import {
  type DeepPartial,
  type EntityManager,
  type EntitySubscriberInterface,
  EventSubscriber,
} from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { recordTaskRunStates } from "../examples/host/record-task-run-states";
import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

type Given = DeepPartial<TaskRunState>;

/** What a host may give: each type, and each property with values of every kind, mixed with states that lack it. */
const GIVEN: Given[] = [
  ...Object.values(StateType).map((type) => ({ type })),
  { type: "SCHEDULED", name: "AwaitingRetry", stateDetails: { cache_key: "orders", scheduled_time: null } },
  { type: "SCHEDULED", stateDetails: { scheduled_time: "2030-01-01T00:00:00Z", retriable: true } },
  { type: "PAUSED", name: "", message: "" },
  { type: "FAILED", message: `'; "quoted" \\ \n \u{1f600} $1`, resultArtifactId: randomUUID() },
  ...["text", "null", "", 0, 1.5e300, true, false, null, [], [null, { a: [1] }], {}, { b: "\u2028" }].map(
    (data): Given => ({ type: "COMPLETED", data }),
  ),
  { type: "RUNNING", timestamp: new Date("1969-12-31T23:59:59.999Z") },
  { type: "RUNNING", timestamp: new Date("2040-02-29T12:00:00.001Z") },
];

/** The rows that a route stores, in the order of the list, with a word for each value that is new every time. */
async function rowsBy(
  record: (manager: EntityManager, states: Given[]) => Promise<unknown>,
): Promise<unknown[]> {
  const taskRunId = randomUUID();
  const states = GIVEN.map((state) => ({ ...state, taskRunId }));
  await record(dataSource.manager, states);
  const rows = await dataSource.query(
    "SELECT to_jsonb(state)::text AS json FROM task_run_state state WHERE task_run_id = $1 ORDER BY timestamp, id",
    [taskRunId],
  );
  return rows.map(({ json }: { json: string }) =>
    JSON.parse(json, (key, value) => {
      if (value === taskRunId) return "the task run";
      if (key === "id") return `version ${value[14]}`;
      return isRecent(value) ? "now" : value;
    }),
  );
}

function isRecent(value: unknown): boolean {
  return typeof value === "string" && Math.abs(Date.parse(value) - Date.now()) < 3_600_000;
}

test("it stores the rows that manager.insert stores", async () => {
  const inserted = await rowsBy((manager, states) =>
    manager.insert(TaskRunState, manager.create(TaskRunState, states)),
  );
  expect(inserted).toHaveLength(GIVEN.length);
  expect(inserted[1]).toEqual({
    id: "version 7",
    created: "now",
    updated: "now",
    type: "SCHEDULED",
    timestamp: "now",
    name: "Scheduled",
    message: null,
    state_details: { scheduled_time: "now" },
    data: null,
    task_run_id: "the task run",
    result_artifact_id: null,
  });
  expect(await rowsBy(recordTaskRunStates)).toEqual(inserted);
});

test("10,000 states take one statement, list in the order of the array though their timestamps are equal, and go with a rollback", async () => {
  const taskRunId = randomUUID();
  const timestamp = new Date();
  const given = Array.from({ length: 10_000 }, (_, index): Given => {
    return { taskRunId, type: "RUNNING", timestamp, name: `${index}`, message: "m", data: index };
  });
  const rollback = new Error("Roll back");
  const transaction = dataSource.transaction(async (manager) => {
    dataSource.statements.length = 0;
    const recorded = await recordTaskRunStates(manager, given);
    expect(dataSource.statements.map((sql) => sql.split(" ")[0])).toEqual(["INSERT"]);
    const listed = await service.readTaskRunStates(manager, taskRunId);
    expect(listed.map(({ name }) => name)).toEqual(given.map(({ name }) => name));
    expect(listed.map(({ id }) => id)).toEqual(recorded.map(({ id }) => id));
    throw rollback;
  });
  expect(await failureOf(transaction)).toBe(rollback);
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
});

test("it follows `schema` and `entityPrefix`, and a column of the host's own gets its default", async () => {
  await dataSource.query('CREATE SCHEMA "My app"');
  const host = await database.connect({ schema: "My app", entityPrefix: "app_" });
  await host.query(`ALTER TABLE "My app".app_task_run_state ADD COLUMN note text DEFAULT 'default'`);
  const [state] = await recordTaskRunStates(host.manager, [{ taskRunId: randomUUID(), type: "RUNNING" }]);
  expect(await host.query('SELECT id, note FROM "My app".app_task_run_state')).toEqual([
    { id: state?.id, note: "default" },
  ]);
});

test("no subscriber hears of it, and `created` and `updated` are PostgreSQL's though they are given", async () => {
  const heard: string[] = [];
  @EventSubscriber()
  class Listener implements EntitySubscriberInterface {
    beforeInsert(): void {
      heard.push("before");
    }
    afterInsert(): void {
      heard.push("after");
    }
  }
  const { manager } = await database.connect({ subscribers: [Listener] });
  const longAgo = new Date(0);
  const given: Given = { taskRunId: randomUUID(), type: "RUNNING", created: longAgo, updated: longAgo };
  await recordTaskRunStates(manager, [given]);
  const [state] = await service.readTaskRunStates(manager, given.taskRunId ?? "");
  expect(isRecent(state?.created.toISOString())).toBe(true);
  expect(isRecent(state?.updated.toISOString())).toBe(true);
  expect(heard).toEqual([]);
  await manager.insert(TaskRunState, manager.create(TaskRunState, given));
  expect(heard).toEqual(["before", "after"]);
});

const refused = (code: string) => ({ driverError: { code } });

test.each<[string, Given, object]>([
  ["with one id for two of them", { id: randomUUID() }, refused("23505")],
  ["of a type that does not exist", { type: "RESTING" as StateType }, refused("22P02")],
  ["with U+0000 in a text", { message: "\0" }, refused("22P05")],
  ["with half of a surrogate pair in a text", { message: "\ud83d" }, refused("22P02")],
  ["at a time that is none", { timestamp: new Date("") }, new RangeError("Invalid time value")],
])("states %s are refused, and none is stored", async (_, bad, error) => {
  const taskRunId = randomUUID();
  const states: Given[] = [{}, bad, bad].map((given) => ({ taskRunId, type: "RUNNING", ...given }));
  expect(await failureOf(recordTaskRunStates(dataSource.manager, states))).toMatchObject(error);
  expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
});
