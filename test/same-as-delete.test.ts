import { randomUUID } from "node:crypto";
import {
  type EntityManager,
  type EntitySubscriberInterface,
  getMetadataArgsStorage,
  type Logger,
} from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";
import { until } from "./support/until";

const database = useDatabase();
const replica = useDatabase();
const service = new TaskRunStateService();

type Delete = (manager: EntityManager, id: string) => Promise<boolean>;

const byModule: Delete = (manager, id) => service.deleteTaskRunState(manager, id);
/** TypeORM's own, which the service's must not be told from. */
const byTypeOrm: Delete = async (manager, id) => (await manager.delete(TaskRunState, { id })).affected === 1;

const places: [string, Parameters<TestDatabase["connect"]>[0]][] = [
  ["in the default schema", {}],
  ["in a schema of its own", { schema: "app" }],
  ["in a schema whose name needs quotes", { schema: "Task States" }],
  ["with a prefix", { schema: "prefixed", entityPrefix: "app_" }],
];
const transactions: [string, boolean][] = [
  ["outside of a transaction", false],
  ["inside of one", true],
];

beforeAll(async () => {
  const dataSource = await database.connect({ migrationsRun: false });
  for (const [, options] of places) {
    if (options?.schema) await dataSource.query(`CREATE SCHEMA "${options.schema}"`);
  }
});

/** Writes down each call, in order, with its arguments but for the query runner and the time that a query took. */
function writeDown() {
  const calls: unknown[][] = [];
  const note =
    (name: string) =>
    (...args: unknown[]) => {
      calls.push([name, ...args.slice(0, -1)]);
    };
  const logger: Logger = {
    logQuery: note("query"),
    logQueryError: (error, ...args) => note("error")(String(error), ...args),
    logQuerySlow: (_, ...args) => note("slow")(...args),
    logSchemaBuild: note("schema"),
    logMigration: note("migration"),
    log: note("log"),
  };
  return { calls, logger };
}

describe.each(places)("the SQL, the log and the answer, %s", (_, options) => {
  test.each(transactions)("%s", async (_, inTransaction) => {
    const { calls, logger } = writeDown();
    const dataSource = await database.connect({ ...options, logger });
    const outcomeOf = async (remove: Delete) => {
      const { id } = await record(dataSource.manager);
      const work = async (manager: EntityManager) => {
        calls.length = 0;
        const answers = [await remove(manager, id), await remove(manager, id)];
        return { answers, calls: calls.map((call) => JSON.stringify(call).replaceAll(id, "the id")) };
      };
      const outcome = await (inTransaction ? dataSource.transaction(work) : work(dataSource.manager));
      expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
      return outcome;
    };
    const ours = await outcomeOf(byModule);
    expect(ours).toEqual(await outcomeOf(byTypeOrm));
    expect(ours.answers).toEqual([true, false]);
    expect(ours.calls).toEqual(Array(2).fill(expect.stringMatching(/DELETE FROM .*\["the id"\]/)));
  });
});

test("the host's log gets a warning when the delete was slow", async () => {
  const { calls, logger } = writeDown();
  const dataSource = await database.connect({ logger, maxQueryExecutionTime: 50 });
  const warningsOf = async (remove: Delete) => {
    const { id } = await record(dataSource.manager);
    const waits = async () => {
      const [{ count }] = await dataSource.query(
        "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'",
      );
      return count === 1;
    };
    const { removal } = await dataSource.transaction(async (locker) => {
      await locker.query("LOCK TABLE task_run_state");
      const removal = remove(dataSource.manager, id);
      await Promise.race([until(waits), removal]);
      await locker.query("SELECT pg_sleep(0.1)"); // The delete waits at least as long, and that is slow for this host.
      return { removal };
    });
    await removal;
    return calls.flatMap(([name, sql, parameters]) =>
      name === "slow" && JSON.stringify(parameters) === JSON.stringify([id]) ? [sql] : [],
    );
  };
  const ours = await warningsOf(byModule);
  expect(ours).toEqual(await warningsOf(byTypeOrm));
  expect(ours).toHaveLength(1);
});

describe("subscribers are told as TypeORM's delete tells them", () => {
  async function eventsOf(remove: Delete, inTransaction: boolean) {
    const dataSource = await database.connect();
    const { id } = await record(dataSource.manager);
    const events: unknown[] = [];
    const listen = async (manager: EntityManager) => {
      const metadata = dataSource.getMetadata(TaskRunState);
      const note = (name: string) => async (event: object) => {
        await new Promise(setImmediate); // The delete waits for it.
        const { queryRunner, manager: told, ...fields } = event as Record<string, unknown>;
        events.push({
          name,
          callersRunner: queryRunner === manager.queryRunner,
          callersManager: told === manager,
          fields: Object.entries(fields).map(([field, value]) => [
            field,
            value === dataSource ? "data source" : value === metadata ? "metadata" : value,
          ]),
        });
      };
      const subscriber: EntitySubscriberInterface = {
        listenTo: () => TaskRunState,
        beforeRemove: note("beforeRemove"),
        afterRemove: note("afterRemove"),
        afterLoad: note("afterLoad"),
      };
      dataSource.subscribers.push(subscriber);
      await remove(manager, id);
    };
    await (inTransaction ? dataSource.transaction(listen) : listen(dataSource.manager));
    return events;
  }

  test.each(transactions)("%s", async (_, inTransaction) => {
    const events = await eventsOf(byModule, inTransaction);
    expect(events).toEqual(await eventsOf(byTypeOrm, inTransaction));
    const callers = { callersRunner: inTransaction, callersManager: inTransaction };
    expect(events).toMatchObject([
      { name: "beforeRemove", ...callers },
      { name: "afterRemove", ...callers },
    ]);
  });
});

describe("errors are those of TypeORM's delete, and no connection stays checked out:", () => {
  async function expectSameError(call: (remove: Delete) => Promise<unknown>, expected: object) {
    const [ours, theirs] = [await failureOf(call(byModule)), await failureOf(call(byTypeOrm))];
    expect(ours).toMatchObject(expected);
    expect((ours as Error).constructor).toBe((theirs as Error).constructor);
    expect((ours as Error).message).toBe((theirs as Error).message);
    expect({ ...(ours as object), driverError: null, parameters: null }).toEqual({
      ...(theirs as object),
      driverError: null,
      parameters: null,
    });
  }

  test("the table is missing", async () => {
    const dataSource = await database.connect({ schema: "nowhere", migrationsRun: false });
    await expectSameError((remove) => remove(dataSource.manager, randomUUID()), {
      name: "QueryFailedError",
      driverError: { code: "42P01" },
    });
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("the query runner was released", async () => {
    const dataSource = await database.connect();
    const queryRunner = dataSource.createQueryRunner();
    await queryRunner.release();
    await expectSameError((remove) => remove(queryRunner.manager, randomUUID()), {
      name: "QueryRunnerAlreadyReleasedError",
    });
  });

  test("the data source was destroyed", async () => {
    const dataSource = await database.connect();
    await dataSource.destroy();
    await expectSameError((remove) => remove(dataSource.manager, randomUUID()), { name: "TypeORMError" });
  });

  test.each([
    ["beforeRemove", 1],
    ["afterRemove", 0],
  ])("a subscriber of %s throws", async (event, rowsLeft) => {
    const dataSource: TestDataSource = await database.connect();
    const subscriber = {
      listenTo: () => TaskRunState,
      [event]: () => Promise.reject(new RangeError("from the subscriber")),
    };
    dataSource.subscribers.push(subscriber);
    const deleteOne = async (remove: Delete) => {
      const { id, taskRunId } = await record(dataSource.manager);
      const error = await failureOf(remove(dataSource.manager, id));
      expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toHaveLength(rowsLeft);
      throw error;
    };
    await expectSameError(deleteOne, { name: "RangeError", message: "from the subscriber" });
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  });
});

test.each([
  ["the service's", byModule],
  ["TypeORM's", byTypeOrm],
])("with `replication`, the delete goes to the primary: %s", async (_, remove) => {
  await replica.connect();
  const primary = await database.connect();
  const { id } = await record(primary.manager);
  const dataSource = await database.connect({
    replication: { master: { url: database.url }, slaves: [{ url: replica.url }] },
  });
  expect(await remove(dataSource.manager, id)).toBe(true);
  expect(await service.readTaskRunState(primary.manager, id)).toBeNull();
});

test("the statement is built once, however many the deletes", async () => {
  const { manager } = await database.connect();
  await byModule(manager, randomUUID());
  const built = jest.spyOn(manager, "createQueryBuilder");
  await byModule(manager, randomUUID());
  expect(built).not.toHaveBeenCalled();
});

test("where a host transforms the id, the state that the transformed id names is deleted", async () => {
  const flip = (id: string) => id.replace(/^./, (digit) => (15 - Number.parseInt(digit, 16)).toString(16));
  const { columns } = getMetadataArgsStorage();
  const column = columns.find(({ target, propertyName }) => target === TaskRunState && propertyName === "id");
  const options = { ...column?.options, transformer: { to: flip, from: flip } };
  columns.unshift({ target: TaskRunState, propertyName: "id", mode: "regular", ...column, options });
  try {
    const { manager } = await database.connect();
    for (const remove of [byModule, byTypeOrm]) {
      const [{ id: stored }] = await manager.query(
        `INSERT INTO task_run_state (task_run_id, type, name) VALUES ($1, 'RUNNING', 'Running') RETURNING id`,
        [randomUUID()],
      );
      expect(await remove(manager, stored)).toBe(false);
      expect(await remove(manager, flip(stored))).toBe(true);
    }
  } finally {
    columns.shift();
  }
});
