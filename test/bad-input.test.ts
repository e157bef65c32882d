import { randomUUID } from "node:crypto";
import {
  DataSource,
  EntityManager,
  EntityMetadataNotFoundError,
  QueryFailedError,
  type QueryRunner,
} from "typeorm";
import { InvalidUuidError, type StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

const methods = ["readTaskRunState", "readTaskRunStates", "deleteTaskRunState"] as const;

/** Passes what the types forbid, as plain JavaScript can. */
const call = (method: (typeof methods)[number], manager: unknown, id: unknown): Promise<unknown> =>
  service[method](manager as EntityManager, id as string);

describe.each(methods)("%s", (method) => {
  test.each<[string, () => unknown]>([
    ["undefined", () => undefined],
    ["null", () => null],
    ["DataSource", () => dataSource],
    ["Repository", () => dataSource.getRepository(TaskRunState)],
    ["PostgresQueryRunner", () => dataSource.createQueryRunner()],
    ["String", () => randomUUID()],
    ["Object", () => ({ manager: dataSource.manager })],
    ["object", () => Object.create(null)],
    ["Function", () => EntityManager],
  ])("refuses %s where the manager belongs, before it looks at the id or sends SQL", async (kind, value) => {
    dataSource.statements.length = 0;
    const error = await failureOf(call(method, value(), "not even an id"));
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(InvalidUuidError);
    expect(error).toHaveProperty(
      "message",
      "manager must be TypeORM's EntityManager, such as dataSource.manager or the one that a transaction " +
        `passes to its callback, but received ${kind}.`,
    );
    expect(dataSource.statements).toEqual([]);
  });

  test("refuses swapped arguments", async () => {
    const { id } = await record(dataSource.manager);
    await expect(call(method, id, dataSource.manager)).rejects.toThrow(/^manager must be .* received String/);
    expect(await service.readTaskRunState(dataSource.manager, id)).not.toBeNull();
  });

  test("tells what to register when the manager's data source lacks the entity", async () => {
    const unaware = await database.connect({ entities: [] });
    const error = await failureOf(call(method, unaware.manager, randomUUID()));
    expect(error).toBeInstanceOf(EntityMetadataNotFoundError);
    expect(error).toHaveProperty(
      "message",
      'No metadata for "TaskRunState" was found. ' +
        "Add TaskRunState to the entities of the data source that the manager belongs to, and initialize it.",
    );
    expect(unaware.statements).toEqual([]);
  });
});

test("a proxy that forwards to a manager and a subclass of EntityManager are managers", async () => {
  class OwnManager extends EntityManager {}
  for (const manager of [
    new Proxy(dataSource.manager, {}),
    new Proxy({} as EntityManager, { get: (_, property) => Reflect.get(dataSource.manager, property) }),
    new OwnManager(dataSource),
  ]) {
    const { id, taskRunId } = await record(dataSource.manager);
    expect((await service.readTaskRunState(manager, id))?.id).toBe(id);
    expect(await service.readTaskRunStates(manager, taskRunId)).toHaveLength(1);
    expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  }
});

const SQL = `'; DROP TABLE task_run_state; -- ") $1 $$ \\'; DELETE FROM task_run_state WHERE '1'='1`;

test("SQL in a string is data", async () => {
  const kept = await record(dataSource.manager);
  const given = {
    name: SQL,
    message: SQL,
    data: { [SQL]: SQL },
    stateDetails: { cache_key: SQL, [SQL]: SQL },
  };
  const { id } = await record(dataSource.manager, given);
  expect(await service.readTaskRunState(dataSource.manager, id)).toMatchObject(given);
  expect((await service.readTaskRunState(dataSource.manager, kept.id))?.id).toBe(kept.id);
  for (const method of methods) {
    await expect(service[method](dataSource.manager, SQL)).rejects.toThrow(InvalidUuidError);
    await expect(service[method](dataSource.manager, `${id}'; --`)).rejects.toThrow(InvalidUuidError);
  }
});

/** Does the work, and gives the connection back whatever comes of it: else the tests that follow would wait for one. */
async function inTransaction<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
  const runner = dataSource.createQueryRunner();
  try {
    await runner.startTransaction();
    return await work(runner);
  } finally {
    while (runner.isTransactionActive) await runner.rollbackTransaction();
    await runner.release();
  }
}

describe("what PostgreSQL cannot store gets PostgreSQL's error, and aborts the caller's transaction until it rolls back:", () => {
  test.each<[string, Partial<TaskRunState>, string]>([
    ["a NUL in the name", { name: "a\0b" }, "22021"],
    ["a NUL in the message", { message: "\0" }, "22021"],
    ["a NUL in data", { data: ["a\0b"] }, "22P05"],
    ["a NUL in a key of data", { data: { "a\0b": 1 } }, "22P05"],
    ["a NUL in the details", { stateDetails: { cache_key: "a\0b" } }, "22P05"],
    ["half a surrogate pair in data", { data: "\ud800" }, "22P02"],
    ["a type without a label", { type: "running" as StateType }, "22P02"],
    ["a task run id that is no UUID", { taskRunId: "task-1" }, "22P02"],
    ["SQL in the id", { id: SQL }, "22P02"],
    ["SQL in the task run id", { taskRunId: SQL }, "22P02"],
    ["SQL in the artifact's id", { resultArtifactId: SQL }, "22P02"],
    ["SQL in the type", { type: SQL as StateType }, "22P02"],
    ["no task run id", { taskRunId: undefined as unknown as string }, "23502"],
  ])("%s", async (_, given, sqlState) => {
    const id = await inTransaction(async (runner) => {
      const { id } = await record(runner.manager);
      await runner.startTransaction(); // a savepoint
      const error = await failureOf(record(runner.manager, given));
      expect(error).toBeInstanceOf(QueryFailedError);
      expect(error).toHaveProperty("driverError.code", sqlState);
      await expect(service.readTaskRunState(runner.manager, id)).rejects.toMatchObject({
        driverError: { code: "25P02" },
      });
      await runner.rollbackTransaction(); // to the savepoint
      expect((await service.readTaskRunState(runner.manager, id))?.id).toBe(id);
      await runner.commitTransaction();
      return id;
    });
    expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
  });
});

test("half a surrogate pair in text is stored as the replacement character", async () => {
  const { id } = await record(dataSource.manager, { message: "a\ud800b" });
  expect((await service.readTaskRunState(dataSource.manager, id))?.message).toBe("a\ufffdb");
});

test("no error tells a password, a connection string or another row's data", async () => {
  const url = new URL(database.url);
  url.password ||= "correct-horse";
  const host = await database.connect({ url: url.href });
  const unaware = await database.connect({ url: url.href, entities: [] });
  const closed = new URL(url);
  closed.port = "1";
  const unreachable = new DataSource({ type: "postgres", url: closed.href });
  const other = await record(host.manager, { message: "another row's secret" });
  const errors = await Promise.all(
    [
      call("readTaskRunState", url.href, other.id),
      call("readTaskRunState", host, other.id),
      call("readTaskRunState", unreachable.manager, other.id),
      call("readTaskRunStates", unaware.manager, other.taskRunId),
      call("readTaskRunStates", host.manager, { password: url.password }),
      call("deleteTaskRunState", host.manager, `${other.id} OR true`),
      host.manager.insert(TaskRunState, { ...other, message: "mine" }),
      record(host.manager, { id: "1", message: "mine" }),
      unreachable.initialize(),
    ].map(failureOf),
  );
  for (const error of errors) {
    expect(error).toHaveProperty("message");
    const { message, stack } = error as Error;
    const told = [message, stack, JSON.stringify(error)].join();
    expect(told).not.toContain(url.password);
    expect(told).not.toContain("another row's secret");
  }
});
