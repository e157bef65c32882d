import { randomUUID } from "node:crypto";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

const create = (given: Partial<TaskRunState>) =>
  dataSource.manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING, ...given });

test("insert sends one statement, without BEGIN", async () => {
  dataSource.statements.length = 0;
  await dataSource.manager.insert(TaskRunState, create({}));
  expect(dataSource.statements.map((sql) => sql.split(" ")[0])).toEqual(["INSERT"]);
});

test("inserts that start together list in the order of the calls, though their timestamps are equal", async () => {
  const timestamp = new Date("2026-11-22T10:53:01.709Z");
  const names = ["a", "b", "c", "d"];
  for (let history = 0; history < 50; history++) {
    const taskRunId = randomUUID();
    const states = names.map((name) => create({ taskRunId, timestamp, name }));
    await Promise.all(states.map((state) => dataSource.manager.insert(TaskRunState, state)));
    const listed = await service.readTaskRunStates(dataSource.manager, taskRunId);
    expect(listed.map(({ name }) => name)).toEqual(names);
  }
});

test("one insert takes 7,000 states with all properties; 9,000 are refused with 08P01, and none is stored", async () => {
  const insert = async (count: number) => {
    const taskRunId = randomUUID();
    const states = Array.from({ length: count }, () =>
      create({ taskRunId, timestamp: new Date(), message: "m", stateDetails: {}, data: 1, name: "n" }),
    );
    const error = await failureOf(dataSource.manager.insert(TaskRunState, states));
    return { error, stored: (await service.readTaskRunStates(dataSource.manager, taskRunId)).length };
  };
  expect(await insert(7000)).toEqual({ error: undefined, stored: 7000 });
  expect(await insert(9000)).toEqual({
    error: expect.objectContaining({ driverError: expect.objectContaining({ code: "08P01" }) }),
    stored: 0,
  });
});

test("saving a state that was read overwrites its row, and its name stays", async () => {
  const { manager } = dataSource;
  const recorded = create({});
  await manager.insert(TaskRunState, recorded);
  const read = await service.readTaskRunState(manager, recorded.id);
  await manager.save(Object.assign(read ?? {}, { type: StateType.COMPLETED }));
  expect(await service.readTaskRunStates(manager, recorded.taskRunId)).toMatchObject([
    { id: recorded.id, type: "COMPLETED", name: "Running" },
  ]);
});

test("a second state with the same id replaces the first by save and upsert, and is refused with 23505 by insert", async () => {
  const { manager } = dataSource;
  const taskRunId = randomUUID();
  const id = randomUUID();
  await manager.insert(TaskRunState, create({ id, taskRunId, message: "first" }));
  await expect(
    manager.insert(TaskRunState, create({ id, taskRunId, message: "second" })),
  ).rejects.toMatchObject({ driverError: { code: "23505" } });
  await manager.save(create({ id, taskRunId, message: "third" }));
  expect(await service.readTaskRunStates(manager, taskRunId)).toMatchObject([{ id, message: "third" }]);
  await manager.upsert(TaskRunState, create({ id, taskRunId, message: "fourth" }), ["id"]);
  expect(await service.readTaskRunStates(manager, taskRunId)).toMatchObject([{ id, message: "fourth" }]);
});

test("upsert of a state that was read cuts its times to milliseconds, where save leaves the microseconds", async () => {
  const { manager } = dataSource;
  const recorded = create({});
  await manager.insert(TaskRunState, recorded);
  const setTimes = "UPDATE task_run_state SET created = $2, updated = $2, timestamp = $2 WHERE id = $1";
  const change = async (message: string) =>
    Object.assign((await service.readTaskRunState(manager, recorded.id)) ?? {}, { message });
  const microseconds = async () => {
    const columns = ["created", "timestamp", "updated"].map((name) => `to_char(${name}, 'US') AS ${name}`);
    return (await manager.query(`SELECT ${columns} FROM task_run_state WHERE id = $1`, [recorded.id]))[0];
  };

  await manager.query(setTimes, [recorded.id, "2026-11-22T10:53:01.198765Z"]);
  await manager.save(await change("saved"));
  expect(await microseconds()).toMatchObject({ created: "198765", timestamp: "198765" });

  await manager.query(setTimes, [recorded.id, "2026-11-22T10:53:01.198765Z"]);
  await manager.upsert(TaskRunState, await change("upserted"), ["id"]);
  expect(await microseconds()).toEqual({ created: "198000", timestamp: "198000", updated: "198000" });
});

test("jsonb keeps neither the order of keys nor -0", async () => {
  const { manager } = dataSource;
  const { id } =
    (await manager.insert(TaskRunState, create({ data: { bb: -0, a: 1 } }))).identifiers[0] ?? {};
  const state = await service.readTaskRunState(manager, id);
  expect(JSON.stringify(state?.data)).toBe('{"a":1,"bb":0}');
  expect(state?.data).toEqual({ a: 1, bb: 0 }); // Jest tells 0 from -0.
});

describe("arrays that TypeORM writes over states that exist", () => {
  const insertOne = async (given: Partial<TaskRunState> = {}) => {
    const state = create(given);
    await dataSource.manager.insert(TaskRunState, state);
    return state;
  };

  test("upsert writes NULL over what one element leaves out and another one sets", async () => {
    const { manager } = dataSource;
    const stored = await insertOne({ message: "first" });
    await manager.upsert(TaskRunState, [create({ id: stored.id }), create({ message: "other" })], ["id"]);
    expect(await service.readTaskRunState(manager, stored.id)).toMatchObject({ message: null });
  });

  test("orIgnore gives an instance another one's id, unless updateEntity is false", async () => {
    const { manager } = dataSource;
    const stored = await insertOne();
    const idsAfter = async (updateEntity: boolean) => {
      const states = [create({ id: stored.id }), create({})];
      const insert = manager.createQueryBuilder().insert().into(TaskRunState).values(states);
      await insert.orIgnore().updateEntity(updateEntity).execute();
      return states.map(({ id }) => id);
    };
    expect((await idsAfter(true))[0]).not.toBe(stored.id);
    expect((await idsAfter(false))[0]).toBe(stored.id);
  });

  test("upsert with skipUpdateIfNoValuesChanged gives an instance another one's id", async () => {
    const { manager } = dataSource;
    const stored = await insertOne();
    const states = [create({ id: stored.id, taskRunId: stored.taskRunId }), create({})];
    await manager.upsert(TaskRunState, states, { conflictPaths: ["id"], skipUpdateIfNoValuesChanged: true });
    expect(states[0]?.id).not.toBe(stored.id);
  });
});
