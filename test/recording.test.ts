import { randomUUID } from "node:crypto";
import type { EntityManager, InsertResult } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { readPage } from "./support/documents";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;
let manager: EntityManager;

beforeAll(async () => {
  dataSource = await database.connect();
  manager = dataSource.manager;
});

type Given = Pick<TaskRunState, "taskRunId" | "type"> & Partial<TaskRunState>;
type Route = (manager: EntityManager, given: Given) => Promise<{ id: string }>;

const newState = (given: Partial<Given> = {}): Given => ({
  taskRunId: randomUUID(),
  type: "RUNNING",
  ...given,
});
const create = (given: Partial<Given> = {}) => manager.create(TaskRunState, newState(given));
const idOf = (result: InsertResult): { id: string } => ({ id: result.identifiers[0]?.id });

/** TypeORM's ways to store a state, named as docs/recording.md names them. */
const routes: [string, Route][] = [
  [
    "manager.insert(TaskRunState, instance)",
    async (manager, given) => idOf(await manager.insert(TaskRunState, manager.create(TaskRunState, given))),
  ],
  ["manager.save(instance)", (manager, given) => manager.save(manager.create(TaskRunState, given))],
  [
    "repository.save(instance)",
    (manager, given) => {
      const repository = manager.getRepository(TaskRunState);
      return repository.save(repository.create(given));
    },
  ],
  ["manager.save(TaskRunState, object)", (manager, given) => manager.save(TaskRunState, given)],
  [
    "manager.insert(TaskRunState, object)",
    async (manager, given) => idOf(await manager.insert(TaskRunState, given)),
  ],
  [
    'manager.upsert(TaskRunState, object, ["id"])',
    async (manager, given) => idOf(await manager.upsert(TaskRunState, given, ["id"])),
  ],
  ["repository.save(object)", (manager, given) => manager.getRepository(TaskRunState).save(given)],
  [
    "repository.insert(object)",
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).insert(given)),
  ],
  [
    'repository.upsert(object, ["id"])',
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).upsert(given, ["id"])),
  ],
  [
    "createQueryBuilder().insert().into(TaskRunState).values(object)",
    async (manager, given) =>
      idOf(await manager.createQueryBuilder().insert().into(TaskRunState).values(given).execute()),
  ],
];

/** Stores a state, and tells what the route sent and what is there. */
async function store(route: Route, given: Given, through = manager) {
  const { result, statements } = await statementsOf(dataSource, () => route(through, given));
  const sent = statements.map((sql) => /^(START TRANSACTION|\w+)/.exec(sql)?.[0]);
  const [state, ...others] = await service.readTaskRunStates(through, given.taskRunId);
  expect(others).toEqual([]);
  expect(result.id).toBe(state?.id);
  return { sent, state };
}

test("an instance gets an id, a name and a scheduled time, and an object its id alone: docs/recording.md has a row for each route", async () => {
  const rows = [];
  for (const [name, route] of routes) {
    const given = newState({ type: "SCHEDULED" });
    const isObject = name.includes("object");
    if (isObject) {
      const withoutName = { driverError: { code: "23502", column: "name" } };
      await expect(route(manager, { ...given })).rejects.toMatchObject(withoutName);
      given.name = "Late";
    }
    const { sent, state } = await store(route, given);
    expect(state?.id).toMatch(isObject ? /^.{14}4/ : /^.{14}7/);
    expect(state).toMatchObject({ name: isObject ? "Late" : "Scheduled", data: null });
    expect(Object.keys(state?.stateDetails ?? {})).toEqual(isObject ? [] : ["scheduled_time"]);
    rows.push(
      `| \`${name}\` | ${isObject ? "`id`" : "`id`, `name`, `scheduled_time`"} | ${sent.join(", ")} |`,
    );
  }
  const [, table] =
    /\| route \| fills in \| sends \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)/.exec(
      readPage("docs/recording.md").text,
    ) ?? [];
  expect(table?.trim().split("\n")).toEqual(rows);
});

test("docs/recording.md lists every property that is given, with its column", () => {
  const { text } = readPage("docs/recording.md");
  const [, table = ""] =
    /\| property \| column \| unless set \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)/.exec(text) ?? [];
  const listed = [...table.matchAll(/^\| `(\w+)` \| `(\w+) /gm)].map(
    ([, property, column]) => `${property} ${column}`,
  );
  const { columns } = dataSource.getMetadata(TaskRunState);
  const given = columns.filter(({ isCreateDate, isUpdateDate }) => !isCreateDate && !isUpdateDate);
  const expected = given.map(({ propertyName, databaseName }) => `${propertyName} ${databaseName}`);
  expect(listed.sort()).toEqual(expected.sort());
});

describe.each(routes)("%s", (name, route) => {
  test("keeps an id that is given; in an open transaction, save sends no BEGIN, and a SELECT only for the id", async () => {
    await dataSource.transaction(async (manager) => {
      const given = newState({ id: randomUUID(), name: "Late" });
      const { sent, state } = await store(route, given, manager);
      expect(state).toMatchObject(given);
      expect(sent).toEqual(name.includes("save") ? ["SELECT", "INSERT"] : ["INSERT"]);
      expect((await store(route, newState({ name: "Late" }), manager)).sent).toEqual(["INSERT"]);
    });
  });
});

test("what save returns is the state as it is read", async () => {
  const saved = await manager.save(create());
  expect({ ...saved }).toEqual({ ...(await service.readTaskRunState(manager, saved.id)) });
});

test("the name is the type in title case, unless one is given, be it empty", async () => {
  const names = [];
  for (const type of Object.values(StateType)) names.push((await manager.save(create({ type }))).name);
  expect(names).toEqual([
    "Scheduled",
    "Pending",
    "Running",
    "Completed",
    "Failed",
    "Cancelled",
    "Crashed",
    "Paused",
    "Cancelling",
  ]);
  expect((await manager.save(create({ name: "" }))).name).toBe("");
});

test("a SCHEDULED state without a scheduled time gets that of the insert, and keeps its other details; the caller's object stays", async () => {
  const stateDetails = { cache_key: "orders", scheduled_time: null };
  const state = create({ type: "SCHEDULED" });
  state.stateDetails = stateDetails;
  const before = Date.now();
  await manager.save(state);
  const read = await service.readTaskRunState(manager, state.id);
  expect(read?.stateDetails).toEqual({ cache_key: "orders", scheduled_time: expect.any(String) });
  const scheduled = Date.parse(read?.stateDetails.scheduled_time ?? "");
  expect(scheduled).toBeGreaterThanOrEqual(before);
  expect(scheduled).toBeLessThanOrEqual(Date.now());
  expect(stateDetails.scheduled_time).toBeNull();

  const given = { scheduled_time: "2030-01-01T00:00:00Z" };
  const later = await manager.save(create({ type: "SCHEDULED", stateDetails: given }));
  expect(later.stateDetails).toEqual(given);
  expect((await manager.save(create({ type: "PENDING" }))).stateDetails).toEqual({});
});

test("created is when the transaction began that inserted the state, updated when the one began that last saved it", async () => {
  const state = create();
  const timesOf = async (through = manager) => {
    const sql =
      "SELECT created, updated, created = now() AS new, updated = created AS same FROM task_run_state";
    return (await through.query(`${sql} WHERE id = $1`, [state.id]))[0];
  };
  const first = await dataSource.transaction(async (manager) => {
    await manager.query("SELECT pg_sleep(0.01)");
    await manager.save(state);
    await manager.save(Object.assign(state, { message: "changed" }));
    return timesOf(manager);
  });
  expect(first).toMatchObject({ new: true, same: true });
  await manager.save(Object.assign(state, { message: "changed again" }));
  const last = await timesOf();
  expect(last.created).toEqual(first.created);
  expect(last.updated.getTime()).toBeGreaterThan(first.updated.getTime());
});

test("inserts that start together list in the order of the calls, though their timestamps are equal", async () => {
  const timestamp = new Date("2026-11-22T10:53:01.709Z");
  const names = ["a", "b", "c", "d"];
  for (let history = 0; history < 20; history++) {
    const taskRunId = randomUUID();
    const states = names.map((name) => create({ taskRunId, timestamp, name }));
    await Promise.all(states.map((state) => manager.insert(TaskRunState, state)));
    const listed = await service.readTaskRunStates(manager, taskRunId);
    expect(listed.map(({ name }) => name)).toEqual(names);
  }
});

describe("of a state that is stored already", () => {
  let stored: TaskRunState;

  beforeEach(async () => {
    stored = create({ message: "first" });
    await manager.insert(TaskRunState, stored);
  });

  const read = async () => (await service.readTaskRunState(manager, stored.id)) as TaskRunState;

  test("save overwrites the row when it was read, and its name stays", async () => {
    await manager.save(Object.assign(await read(), { type: StateType.COMPLETED }));
    expect(await service.readTaskRunStates(manager, stored.taskRunId)).toMatchObject([
      { id: stored.id, type: "COMPLETED", name: "Running" },
    ]);
  });

  test("another one with its id replaces it by save and upsert, and is refused with 23505 by insert", async () => {
    const { id, taskRunId } = stored;
    const another = (message: string) => create({ id, taskRunId, message });
    const refused = { driverError: { code: "23505" } };
    await expect(manager.insert(TaskRunState, another("second"))).rejects.toMatchObject(refused);
    await manager.save(another("third"));
    expect(await service.readTaskRunStates(manager, taskRunId)).toMatchObject([{ message: "third" }]);
    await manager.upsert(TaskRunState, another("fourth"), ["id"]);
    expect(await service.readTaskRunStates(manager, taskRunId)).toMatchObject([{ message: "fourth" }]);
  });

  test("upsert cuts its times to milliseconds when it was read, where save leaves the microseconds", async () => {
    const microsecondsAfter = async (write: (state: TaskRunState) => Promise<unknown>) => {
      const time = "2026-11-22T10:53:01.198765Z";
      await manager.query(
        "UPDATE task_run_state SET created = $2, updated = $2, timestamp = $2 WHERE id = $1",
        [stored.id, time],
      );
      await write(Object.assign(await read(), { message: randomUUID() }));
      const columns = ["created", "timestamp", "updated"].map((name) => `to_char(${name}, 'US') AS ${name}`);
      return (await manager.query(`SELECT ${columns} FROM task_run_state WHERE id = $1`, [stored.id]))[0];
    };
    expect(await microsecondsAfter((state) => manager.save(state))).toMatchObject({
      created: "198765",
      timestamp: "198765",
    });
    expect(await microsecondsAfter((state) => manager.upsert(TaskRunState, state, ["id"]))).toEqual({
      created: "198000",
      timestamp: "198000",
      updated: "198000",
    });
  });

  test("upsert of an array writes NULL over what its element leaves out and another one sets", async () => {
    await manager.upsert(TaskRunState, [create({ id: stored.id }), create({ message: "other" })], ["id"]);
    expect((await read()).message).toBeNull();
  });

  test("orIgnore, unless updateEntity is false, and upsert with skipUpdateIfNoValuesChanged give its instance another one's id", async () => {
    const { id, taskRunId, message } = stored;
    const idAfter = async (write: (states: TaskRunState[]) => Promise<unknown>) => {
      const states = [create({ id, taskRunId, message }), create()];
      await write(states);
      return states[0]?.id;
    };
    const orIgnore = (states: TaskRunState[]) =>
      manager.createQueryBuilder().insert().into(TaskRunState).values(states).orIgnore();
    const options = { conflictPaths: ["id"], skipUpdateIfNoValuesChanged: true };
    expect(await idAfter((states) => orIgnore(states).execute())).not.toBe(stored.id);
    expect(await idAfter((states) => orIgnore(states).updateEntity(false).execute())).toBe(stored.id);
    expect(await idAfter((states) => manager.upsert(TaskRunState, states, options))).not.toBe(stored.id);
  });
});
