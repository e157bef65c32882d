import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { type DataSource, EntityManager, getMetadataArgsStorage, type LoadEvent, type Logger } from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, type TestDatabase, useDatabase } from "./support/database";
import { fullState } from "./support/documented-table";
import { failureOf } from "./support/failure-of";
import { createGiven, givenState } from "./support/given-state";
import { sessionsWaitingFor, whileTableIsLocked } from "./support/locked-table";
import { record } from "./support/record";

const database = useDatabase();
/** It follows nobody, so that it never has what is written. */
const replica = useDatabase();
const service = new TaskRunStateService();

/** The three methods, by this module and by TypeORM's own `find` and `delete`: nobody may see a difference. */
const byModule = {
  one: (manager: EntityManager, id: string) => service.readTaskRunState(manager, id),
  all: (manager: EntityManager, taskRunId: string) => service.readTaskRunStates(manager, taskRunId),
  remove: (manager: EntityManager, id: string) => service.deleteTaskRunState(manager, id),
};
const byTypeOrm: typeof byModule = {
  one: (manager, id) => manager.findOneBy(TaskRunState, { id }),
  all: (manager, taskRunId) =>
    manager.find(TaskRunState, { where: { taskRunId }, order: { timestamp: "ASC", id: "ASC" } }),
  remove: async (manager, id) => (await manager.delete(TaskRunState, { id })).affected === 1,
};
type Methods = typeof byModule;

/** Connects as a host whose log is kept: each entry without the query runner and the time that a query took. */
async function connectWithLog(options: Parameters<TestDatabase["connect"]>[0] = {}) {
  const log: unknown[][] = [];
  const note =
    (kind: string) =>
    (...args: unknown[]) => {
      log.push([kind, ...args.slice(0, -1)]);
    };
  const logger: Logger = {
    logQuery: note("query"),
    logQueryError: note("error"),
    logQuerySlow: (_, ...args) => note("slow")(...args),
    logSchemaBuild: note("schema"),
    logMigration: note("migration"),
    log: note("log"),
  };
  return { dataSource: await database.connect({ ...options, logger }), log };
}

describe("the entities are the same, with the same values, and their keys in the same order", () => {
  function expectSame(ours: unknown[], theirs: unknown[]): void {
    expect(ours).toStrictEqual(theirs);
    expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
    for (const state of ours) expect(state).toBeInstanceOf(TaskRunState);
  }

  test("of random histories", async () => {
    const { manager } = await database.connect();
    const history = fc.array(givenState, { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(history, async (given) => {
        const taskRunId = randomUUID();
        const states = given.map((state) => createGiven(manager, taskRunId, state));
        await manager.insert(TaskRunState, states);

        const listed = await byModule.all(manager, taskRunId);
        expect(listed).toHaveLength(states.length);
        expectSame(listed, await byTypeOrm.all(manager, taskRunId));
        for (const { id } of states) {
          expectSame([await byModule.one(manager, id)], [await byTypeOrm.one(manager, id)]);
        }
      }),
      { numRuns: Number(process.env.RANDOM_HISTORIES ?? 150) },
    );
  });

  test("of a state with a value in every column", async () => {
    const dataSource = await database.connect();
    const { manager } = dataSource;
    const { id, taskRunId } = await record(manager, fullState());
    const found = await byTypeOrm.one(manager, id);
    const { columns } = dataSource.getMetadata(TaskRunState);
    const empty = columns.filter((column) => (column.getEntityValue(found ?? {}) ?? null) === null);
    expect(empty.map(({ propertyName }) => propertyName)).toEqual([]);
    expectSame([await byModule.one(manager, id)], [found]);
    expectSame(await byModule.all(manager, taskRunId), [found]);
  });
});

describe("the SQL, the log and the answers of a delete are the same", () => {
  test.each<[string, Parameters<TestDatabase["connect"]>[0]]>([
    ["in the default schema", {}],
    ["in a schema whose name needs quotes", { schema: "Task States" }],
    ["with a prefix", { schema: "prefixed", entityPrefix: "app_" }],
  ])("%s", async (_, options) => {
    const creator = await database.connect({ migrationsRun: false });
    if (options?.schema) await creator.query(`CREATE SCHEMA "${options.schema}"`);
    const { dataSource, log } = await connectWithLog(options);
    const outcomeOf = async ({ remove }: Methods) => {
      const { id } = await record(dataSource.manager);
      log.length = 0;
      const answers = [await remove(dataSource.manager, id), await remove(dataSource.manager, id)];
      return { answers, log: log.map((entry) => JSON.stringify(entry).replaceAll(id, "the id")) };
    };
    const ours = await outcomeOf(byModule);
    expect(ours).toEqual(await outcomeOf(byTypeOrm));
    expect(ours.answers).toEqual([true, false]);
    expect(ours.log).toEqual(Array(2).fill(expect.stringMatching(/DELETE FROM .*\["the id"\]/)));
  });
});

test("the host's log gets each query with its parameter, and a warning when it was slow", async () => {
  const { dataSource, log } = await connectWithLog({ maxQueryExecutionTime: 50 });
  const { manager } = dataSource;
  const { id, taskRunId } = await record(manager);
  const { id: removed } = await record(manager);
  log.length = 0;
  const { calls } = await whileTableIsLocked(dataSource, async (holder) => {
    const calls = Promise.all([
      byModule.one(manager, id),
      byModule.all(manager, taskRunId),
      byModule.remove(manager, removed),
    ]);
    await Promise.race([sessionsWaitingFor(holder, 3), calls]);
    await holder.query("SELECT pg_sleep(0.1)"); // The three wait at least as long, and that is slow for this host.
    return { calls };
  });
  await calls;
  const parametersOf = (kind: string) =>
    log.filter(([of]) => of === kind).map(([, , parameters]) => parameters);
  for (const kind of ["query", "slow"]) {
    expect(parametersOf(kind)).toEqual(expect.arrayContaining([[id], [taskRunId], [removed]]));
  }
});

describe("subscribers and listeners are told the same", () => {
  async function eventsOf(methods: Methods, inTransaction: boolean) {
    const dataSource = await database.connect();
    const metadata = dataSource.getMetadata(TaskRunState);
    const taskRunId = randomUUID();
    for (const message of ["0", "1", "2"]) await record(dataSource.manager, { taskRunId, message });
    const { id } = await record(dataSource.manager);
    const events: { name: string; [field: string]: unknown }[] = [];

    const work = async (manager: EntityManager) => {
      const note = (name: string) => async (event: object) => {
        await new Promise(setImmediate); // The call waits for it.
        const { queryRunner, manager: told, ...fields } = event as Record<string, unknown>;
        const known = new Map<unknown, unknown>([
          [dataSource, "data source"],
          [metadata, "metadata"],
        ]);
        events.push({
          name,
          callersRunner: queryRunner === manager.queryRunner,
          callersManager: told === manager,
          fields: Object.entries(fields).map(([field, value]) => [
            field,
            value instanceof TaskRunState ? value.message : (known.get(value) ?? value),
          ]),
        });
      };
      dataSource.subscribers.push({
        listenTo: () => TaskRunState,
        async afterLoad(entity: TaskRunState, event?: LoadEvent<TaskRunState>) {
          await note("afterLoad")(event ?? {});
          entity.message = `loaded ${entity.message}`;
        },
        beforeRemove: note("beforeRemove"),
        afterRemove: note("afterRemove"),
      });
      const states = [...(await methods.all(manager, taskRunId)), await methods.one(manager, id)];
      expect(states.map((state) => state?.message)).toEqual([
        "loaded 0",
        "loaded 1",
        "loaded 2",
        "loaded null",
      ]);
      expect(await methods.all(manager, randomUUID())).toEqual([]);
      expect(await methods.one(manager, randomUUID())).toBeNull();
      await methods.remove(manager, id);
    };
    await (inTransaction ? dataSource.transaction(work) : work(dataSource.manager));
    return events;
  }

  test.each([
    ["outside of a transaction", false],
    ["inside of one", true],
  ])("%s", async (_, inTransaction) => {
    const events = await eventsOf(byModule, inTransaction);
    expect(events).toEqual(await eventsOf(byTypeOrm, inTransaction));
    const names = [...Array(4).fill("afterLoad"), "beforeRemove", "afterRemove"];
    const callers = { callersRunner: inTransaction, callersManager: inTransaction };
    expect(events).toMatchObject(names.map((name) => ({ name, ...callers })));
  });

  test("through a listener of afterLoad that a host adds to the entity", async () => {
    const { entityListeners } = getMetadataArgsStorage();
    const loaded: TaskRunState[] = [];
    const prototype = Object.assign(TaskRunState.prototype, {
      loaded(this: TaskRunState) {
        loaded.push(this);
      },
    });
    entityListeners.push({ target: TaskRunState, propertyName: "loaded", type: "after-load" });
    try {
      const { manager } = await database.connect();
      const { id, taskRunId } = await record(manager);
      const states = [await byModule.one(manager, id), ...(await byModule.all(manager, taskRunId))];
      expect(loaded).toEqual(states);
      expect(states).toHaveLength(2);
    } finally {
      entityListeners.pop();
      Reflect.deleteProperty(prototype, "loaded");
    }
  });
});

describe("the errors are the same, and no connection stays checked out", () => {
  async function expectSameError(call: (methods: Methods) => Promise<unknown>, expected: object) {
    const [ours, theirs] = [await failureOf(call(byModule)), await failureOf(call(byTypeOrm))];
    expect(ours).toMatchObject(expected);
    expect(theirs).toMatchObject(expected);
    expect((ours as Error).constructor).toBe((theirs as Error).constructor);
    expect((ours as Error).message).toBe((theirs as Error).message);
  }

  describe.each(["one", "all", "remove"] as const)("of %s", (method) => {
    test("when the table is missing", async () => {
      const dataSource = await database.connect({ schema: "nowhere", migrationsRun: false });
      await expectSameError((methods) => methods[method](dataSource.manager, randomUUID()), {
        name: "QueryFailedError",
        driverError: { code: "42P01" },
      });
      expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
    });

    test("when the query runner was released", async () => {
      const queryRunner = (await database.connect()).createQueryRunner();
      await queryRunner.release();
      await expectSameError((methods) => methods[method](queryRunner.manager, randomUUID()), {
        name: "QueryRunnerAlreadyReleasedError",
      });
    });

    test("when the data source was destroyed", async () => {
      const dataSource = await database.connect();
      await dataSource.destroy();
      await expectSameError((methods) => methods[method](dataSource.manager, randomUUID()), {
        name: "TypeORMError",
      });
    });
  });

  test.each<[string, keyof Methods, rowsLeft: number]>([
    ["afterLoad", "one", 1],
    ["afterLoad", "all", 1],
    ["beforeRemove", "remove", 1],
    ["afterRemove", "remove", 0],
  ])("when a subscriber of %s throws: %s", async (event, method, rowsLeft) => {
    const dataSource = await database.connect();
    dataSource.subscribers.push({
      listenTo: () => TaskRunState,
      [event]: () => Promise.reject(new RangeError("from the subscriber")),
    });
    const call = async (methods: Methods) => {
      const { id, taskRunId } = await record(dataSource.manager);
      const error = await failureOf(methods[method](dataSource.manager, method === "all" ? taskRunId : id));
      expect(await dataSource.manager.countBy(TaskRunState, { id })).toBe(rowsLeft);
      throw error;
    };
    await expectSameError(call, { name: "RangeError", message: "from the subscriber" });
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  });
});

describe("with `replication`", () => {
  test.each([
    ["the module", byModule],
    ["TypeORM", byTypeOrm],
  ])("%s reads from the replica, but in a transaction, and deletes in the primary", async (_, methods) => {
    await replica.connect();
    const primary = await database.connect();
    const dataSource = await database.connect({
      replication: { master: { url: database.url }, slaves: [{ url: replica.url }] },
    });
    const { id, taskRunId } = await record(dataSource.manager);
    const read = async (manager: EntityManager) => [
      (await methods.one(manager, id))?.id,
      (await methods.all(manager, taskRunId)).length,
    ];
    expect(await read(dataSource.manager)).toEqual([undefined, 0]);
    expect(await dataSource.transaction(read)).toEqual([id, 1]);
    expect(await methods.remove(dataSource.manager, id)).toBe(true);
    expect(await read(primary.manager)).toEqual([undefined, 0]);
  });
});

test("the module does it all itself: neither find nor delete is called", async () => {
  class IdleManager extends EntityManager {
    override find(): never {
      throw new Error("find was called.");
    }
    override delete(): never {
      throw new Error("delete was called.");
    }
  }
  const dataSource = await database.connect();
  const { id, taskRunId } = await record(dataSource.manager);
  const queryRunner = dataSource.createQueryRunner();
  const manager = new IdleManager(dataSource, queryRunner);
  Object.assign(queryRunner, { manager });
  expect((await byModule.one(manager, id))?.id).toBe(id);
  expect(await byModule.all(manager, taskRunId)).toHaveLength(1);
  expect(await byModule.remove(manager, id)).toBe(true);
  await queryRunner.release();
});

test("each data source has statements of its own, also after it was destroyed and initialised again", async () => {
  const plain = await database.connect();
  await plain.query("CREATE SCHEMA elsewhere");
  const elsewhere = await database.connect({ schema: "elsewhere" });
  const here = await record(plain.manager);
  const there = await record(elsewhere.manager);
  const found = async (dataSource: DataSource) => [
    (await byModule.one(dataSource.manager, here.id)) !== null,
    (await byModule.one(dataSource.manager, there.id)) !== null,
  ];
  expect(await found(plain)).toEqual([true, false]);
  expect(await found(elsewhere)).toEqual([false, true]);

  await plain.destroy();
  plain.setOptions({ schema: "elsewhere" });
  await plain.initialize();
  expect(await found(plain)).toEqual([false, true]);
});
