import { randomUUID } from "node:crypto";
import type { EntityManager, EntitySubscriberInterface } from "typeorm";
import {
  InvalidUuidError,
  type NewTaskRunState,
  readLatestTaskRunStates,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { connectionsInUse, statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { fillHistories } from "./support/fill";
import { LatestQuery } from "./support/latest-query";
import { explain } from "./support/plan";

const RUNS = 4_000;
const STATES = 50;
const INDEX = "ix_task_run_state__task_run_id_timestamp";

const database = useDatabase();
const replica = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;
let manager: EntityManager;

beforeAll(async () => {
  dataSource = await database.connect();
  manager = dataSource.manager;
});

/** As long as the histories are: by the list that the service gives. */
async function latestByList(taskRunIds: string[]): Promise<[string, TaskRunState][]> {
  const entries: [string, TaskRunState][] = [];
  for (const id of taskRunIds) {
    const state = (await service.readTaskRunStates(manager, id)).at(-1);
    if (state) entries.push([id, state]);
  }
  return entries;
}

test("it is the last state that the service lists, by time and then by id; without states there is none", async () => {
  const [plain, tied, late, none] = [randomUUID(), randomUUID(), randomUUID(), randomUUID()];
  const at = (taskRunId: string, ...timestamps: string[]): NewTaskRunState[] =>
    timestamps.map((timestamp) => ({ id: randomUUID(), taskRunId, type: "RUNNING", timestamp }));
  const hour = "2026-11-22T10:00:00";
  await recordTaskRunStates(manager, [
    ...at(plain, `${hour}.000002Z`, `${hour}.000003Z`, `${hour}.000001Z`),
    ...at(tied, ...Array<string>(10).fill(`${hour}Z`)),
    ...at(late, `${hour}Z`, "2025-01-01T00:00:00Z"),
  ]);
  const ids = [late, none, plain, tied];
  const latest = await readLatestTaskRunStates(manager, ids);
  expect([...latest]).toStrictEqual(await latestByList(ids));
  expect([...latest.keys()]).toEqual([late, plain, tied]);
});

test("the keys are the ids as they were given, twice or in capitals, and nothing is sent for none", async () => {
  const taskRunId = randomUUID();
  await recordTaskRunStates(manager, [{ taskRunId, type: "RUNNING" }]);
  const capitals = taskRunId.toUpperCase();
  const { result, statements } = await statementsOf(dataSource, async () => [
    await readLatestTaskRunStates(manager, [capitals, taskRunId, capitals]),
    await readLatestTaskRunStates(manager, []),
  ]);
  expect(statements).toHaveLength(1);
  const [state] = await service.readTaskRunStates(manager, taskRunId);
  expect(result.map((latest) => [...latest])).toEqual([
    [
      [capitals, state],
      [taskRunId, state],
    ],
    [],
  ]);
});

test("ids are checked before any SQL, and the open transaction stays usable", async () => {
  await dataSource.transaction(async (manager) => {
    const { result: error, statements } = await statementsOf(dataSource, () =>
      failureOf(readLatestTaskRunStates(manager, [randomUUID(), "7"])),
    );
    expect(error).toBeInstanceOf(InvalidUuidError);
    expect(error).toMatchObject({ parameter: "taskRunIds[1]" });
    expect(await failureOf(readLatestTaskRunStates(manager, randomUUID() as never))).toEqual(
      new TypeError("taskRunIds must be an array, but received String."),
    );
    expect(statements).toEqual([]);
    expect((await readLatestTaskRunStates(manager, [randomUUID()])).size).toBe(0);
  });
});

test("subscribers of afterLoad are told of each state once", async () => {
  const { manager, subscribers } = await database.connect();
  const subscriber: EntitySubscriberInterface<TaskRunState> = {
    listenTo: () => TaskRunState,
    async afterLoad(state) {
      await new Promise(setImmediate);
      state.message = `loaded ${state.message}`;
    },
  };
  subscribers.push(subscriber);
  const taskRunId = randomUUID();
  await recordTaskRunStates(manager, [{ taskRunId, type: "RUNNING", message: "once" }]);
  const latest = await readLatestTaskRunStates(manager, [taskRunId, taskRunId.toUpperCase()]);
  expect([...latest.values()].map(({ message }) => message)).toEqual(["loaded once", "loaded once"]);
});

test("outside of a transaction it reads from a replica, and inside of one from the primary", async () => {
  await replica.connect();
  const host = await database.connect({
    replication: { master: { url: database.url }, slaves: [{ url: replica.url }] },
  });
  const taskRunId = randomUUID();
  await recordTaskRunStates(host.manager, [{ taskRunId, type: "RUNNING" }]);
  expect((await readLatestTaskRunStates(host.manager, [taskRunId])).size).toBe(0);
  await host.transaction(async (manager) => {
    expect((await readLatestTaskRunStates(manager, [taskRunId])).size).toBe(1);
  });
});

test("it fails with the database's error, and keeps no connection", async () => {
  const host = await database.connect({ schema: "nowhere", migrationsRun: false });
  expect(await sqlStateOf(readLatestTaskRunStates(host.manager, [randomUUID()]))).toBe("42P01");
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
});

describe("of histories of 200,000 states", () => {
  const full = useDatabase();
  const logger = new LatestQuery();
  let dataSource: TestDataSource;

  beforeAll(async () => {
    dataSource = await full.connect({ logger });
    await fillHistories(dataSource.manager, { runs: RUNS, states: STATES });
    await fillHistories(dataSource.manager, { runs: 1, states: 10_000, first: 1 });
    const tie =
      "UPDATE task_run_state SET timestamp = '2030-01-01Z' WHERE id IN (SELECT id FROM task_run_state WHERE task_run_id = $1 LIMIT 5)";
    await dataSource.query(tie, [await idOf(2)]);
  }, 60_000);

  const idOf = async (n: number): Promise<string> =>
    (await dataSource.query("SELECT md5('task run ' || $1::int)::uuid AS id", [n]))[0].id;

  async function rowsFor(...numbers: number[]) {
    const ids = await Promise.all(numbers.map(idOf));
    const latest = await readLatestTaskRunStates(dataSource.manager, ids);
    expect(latest.size).toBe(numbers.length);
    return (await explain(dataSource, logger.sql, logger.parameters)).rows;
  }

  test.each(["before", "after"])(
    "it reads two rows of each, and those of the latest time, %s an ANALYZE",
    async (when) => {
      if (when === "after") await dataSource.query("VACUUM (ANALYZE, INDEX_CLEANUP ON) task_run_state");
      expect(await rowsFor(1)).toEqual({ [INDEX]: 2 });
      expect(await rowsFor(2)).toEqual({ [INDEX]: 6 });
      const hundred = Array.from({ length: 100 }, (_, n) => n + 3);
      expect(await rowsFor(...hundred)).toEqual({ [INDEX]: 200 });
    },
  );

  test("10,000 task runs take one call", async () => {
    const rows: { id: string }[] = await dataSource.query(
      "SELECT md5('task run ' || n)::uuid AS id FROM generate_series(0, 9999) n",
    );
    const latest = await readLatestTaskRunStates(
      dataSource.manager,
      rows.map(({ id }) => id),
    );
    expect(latest.size).toBe(RUNS);
  });
});
