import { randomUUID } from "node:crypto";
import { DataSource, EntityManager, EntityMetadataNotFoundError } from "typeorm";
import { InvalidUuidError, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { statementsOf, type TestDataSource, useDatabase } from "./support/database";
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
  ])("refuses %s as the manager, before it looks at the id and sends SQL", async (kind, value) => {
    const { result: error, statements } = await statementsOf(dataSource, () =>
      failureOf(call(method, value(), "not even an id")),
    );
    expect(statements).toEqual([]);
    expect(error).toBeInstanceOf(TypeError);
    expect(error).not.toBeInstanceOf(InvalidUuidError);
    expect(error).toHaveProperty(
      "message",
      "manager must be TypeORM's EntityManager, such as dataSource.manager or the one that a transaction " +
        `passes to its callback, but received ${kind}.`,
    );
  });

  test("says what to register when the manager's data source lacks the entity", async () => {
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
});

test("no error reveals a password, a connection string or another row's data", async () => {
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
