import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { types } from "pg";
import {
  type DataSource,
  type EntityManager,
  type EntitySubscriberInterface,
  getMetadataArgsStorage,
  type LoadEvent,
  type Logger,
} from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { createGiven, givenState } from "./support/given-state";
import { sessionsWaitingFor, whileTableIsLocked } from "./support/locked-table";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();

/** The two reads, by this module and by TypeORM's own `find`: nobody may see a difference. */
const byModule = {
  one: (manager: EntityManager, id: string) => service.readTaskRunState(manager, id),
  all: (manager: EntityManager, taskRunId: string) => service.readTaskRunStates(manager, taskRunId),
};
const byTypeOrm = {
  one: (manager: EntityManager, id: string) => manager.findOneBy(TaskRunState, { id }),
  all: (manager: EntityManager, taskRunId: string) =>
    manager.find(TaskRunState, { where: { taskRunId }, order: { timestamp: "ASC", id: "ASC" } }),
};

/** The same entities with the same values, and the keys in the same order. */
function expectSame(ours: unknown[], theirs: unknown[]): void {
  expect(ours).toStrictEqual(theirs);
  expect(JSON.stringify(ours)).toBe(JSON.stringify(theirs));
  for (const state of ours) expect(state).toBeInstanceOf(TaskRunState);
}

test("random histories read as find reads them", async () => {
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

describe("a value in every column reads as find reads it under pg's own parsers", () => {
  const { DATE, TIMESTAMP, TIMESTAMPTZ } = types.builtins;

  test.each([
    ["under these parsers", []],
    // There `find` reads a timestamptz as a Date from TypeORM 1 on, and as a string before.
    ["also where a host's parsers leave times as strings", [DATE, TIMESTAMP, TIMESTAMPTZ]],
  ])("%s", async (_, leftAsStrings) => {
    const dataSource = await database.connect();
    const { manager } = dataSource;
    const { id, taskRunId } = await record(manager, {
      message: "No column of this state is empty",
      stateDetails: { retriable: true },
      data: ["result"],
      resultArtifactId: randomUUID(),
    });
    const found = await byTypeOrm.one(manager, id);
    // A new column fails here until it has a value above, and then below until the module reads it as find does.
    const { columns } = dataSource.getMetadata(TaskRunState);
    const empty = columns.filter((column) => (column.getEntityValue(found ?? {}) ?? null) === null);
    expect(empty.map(({ propertyName }) => propertyName)).toEqual([]);

    const parsers = leftAsStrings.map((type) => ({ type, parse: types.getTypeParser(type) }));
    for (const type of leftAsStrings) types.setTypeParser(type, (value) => value);
    try {
      expectSame([await byModule.one(manager, id)], [found]);
      expectSame(await byModule.all(manager, taskRunId), [found]);
    } finally {
      for (const { type, parse } of parsers) types.setTypeParser(type, parse);
    }
  });
});

describe("find and the module tell subscribers and listeners of afterLoad the same", () => {
  class Subscriber implements EntitySubscriberInterface<TaskRunState> {
    readonly events: { entity: TaskRunState; event: LoadEvent<TaskRunState> }[] = [];
    listenTo() {
      return TaskRunState;
    }
    async afterLoad(entity: TaskRunState, event: LoadEvent<TaskRunState>): Promise<void> {
      await new Promise(setImmediate);
      entity.message = `loaded ${entity.message}`;
      this.events.push({ entity, event });
    }
  }

  async function eventsOf(reads: typeof byModule, inTransaction: boolean) {
    const dataSource = await database.connect();
    const subscriber = new Subscriber();
    dataSource.subscribers.push(subscriber);
    const taskRunId = randomUUID();
    for (let index = 0; index < 3; index++)
      await record(dataSource.manager, { taskRunId, message: `${index}` });
    const { id } = await record(dataSource.manager);

    const read = async (manager: EntityManager) => {
      const states = [...(await reads.all(manager, taskRunId)), await reads.one(manager, id)];
      expect(await reads.all(manager, randomUUID())).toEqual([]);
      expect(await reads.one(manager, randomUUID())).toBeNull();
      expect(subscriber.events.map(({ entity }) => entity)).toEqual(states);
      return subscriber.events.map(({ entity, event }) => ({
        message: entity.message,
        isItsEntity: event.entity === entity,
        metadata: event.metadata === dataSource.getMetadata(TaskRunState),
        dataSource: event.connection === dataSource,
        callersManager: event.manager === manager,
        callersRunner: event.queryRunner === manager.queryRunner,
      }));
    };
    return inTransaction ? dataSource.transaction(read) : read(dataSource.manager);
  }

  test.each([
    ["outside a transaction", false],
    ["inside one", true],
  ])("%s", async (_, inTransaction) => {
    const events = await eventsOf(byModule, inTransaction);
    expect(events).toEqual(await eventsOf(byTypeOrm, inTransaction));
    expect(events.map(({ message }) => message)).toEqual(["loaded 0", "loaded 1", "loaded 2", "loaded null"]);
    expect(events.every(({ callersManager }) => callersManager === inTransaction)).toBe(true);
  });

  test("through a listener that a host adds to the entity", async () => {
    const { entityListeners } = getMetadataArgsStorage();
    const loaded = jest.fn();
    Object.assign(TaskRunState.prototype, { loaded });
    entityListeners.push({ target: TaskRunState, propertyName: "loaded", type: "after-load" });
    try {
      const dataSource = await database.connect();
      const { id, taskRunId } = await record(dataSource.manager);
      const states = [
        await byModule.one(dataSource.manager, id),
        ...(await byModule.all(dataSource.manager, taskRunId)),
      ];
      expect(loaded.mock.contexts).toEqual(states);
      expect(states).toHaveLength(2);
    } finally {
      entityListeners.pop();
      Reflect.deleteProperty(TaskRunState.prototype, "loaded");
    }
  });
});

test("infinite times read as find reads them: as the numbers that pg makes of them", async () => {
  const { manager } = await database.connect();
  const { id, taskRunId } = await record(manager);
  await manager.query(
    "UPDATE task_run_state SET created = '-infinity', timestamp = 'infinity' WHERE id = $1",
    [id],
  );
  const found = await byTypeOrm.one(manager, id);
  expect(found).toMatchObject({ created: Number.NEGATIVE_INFINITY, timestamp: Number.POSITIVE_INFINITY });
  expectSame([await byModule.one(manager, id)], [found]);
  expectSame(await byModule.all(manager, taskRunId), [found]);
});

test("the host's log gets each query with its parameter, and a warning when it was slow", async () => {
  const queries: unknown[] = [];
  const slow: unknown[] = [];
  const ignore = () => {};
  const logger: Logger = {
    logQuery: (_, parameters) => queries.push(parameters),
    logQuerySlow: (_, __, parameters) => slow.push(parameters),
    logQueryError: ignore,
    logSchemaBuild: ignore,
    logMigration: ignore,
    log: ignore,
  };
  const dataSource = await database.connect({ logger, maxQueryExecutionTime: 50 });
  const { id, taskRunId } = await record(dataSource.manager);
  queries.length = 0;

  const { reads } = await whileTableIsLocked(dataSource, async (holder) => {
    const reads = Promise.all([
      byModule.one(dataSource.manager, id),
      byModule.all(dataSource.manager, taskRunId),
    ]);
    await Promise.race([sessionsWaitingFor(holder, 2), reads]);
    await holder.query("SELECT pg_sleep(0.1)"); // The two wait at least as long, and that is slow for this host.
    return { reads };
  });
  await reads;

  expect(queries).toEqual(expect.arrayContaining([[id], [taskRunId]]));
  expect(slow).toEqual(expect.arrayContaining([[id], [taskRunId]]));
});

describe("the module fails with the error of find, and keeps no connection", () => {
  async function expectSameError(
    call: (reads: typeof byModule) => Promise<unknown>,
    name: string,
    code?: string,
  ) {
    const [ours, theirs] = await Promise.all([byModule, byTypeOrm].map((reads) => failureOf(call(reads))));
    expect(ours).toMatchObject({ name, ...(code && { driverError: { code } }) });
    expect(theirs).toMatchObject({ name, ...(code && { driverError: { code } }) });
    expect((ours as Error).constructor).toBe((theirs as Error).constructor);
    if (!code) expect((ours as Error).message).toBe((theirs as Error).message);
  }

  const calls: [string, (reads: typeof byModule, manager: EntityManager) => Promise<unknown>][] = [
    ["reading one", (reads, manager) => reads.one(manager, randomUUID())],
    ["listing", (reads, manager) => reads.all(manager, randomUUID())],
  ];

  describe.each(calls)("%s", (_, call) => {
    test("when the table is missing", async () => {
      const dataSource = await database.connect({ schema: "nowhere", migrationsRun: false });
      await expectSameError((reads) => call(reads, dataSource.manager), "QueryFailedError", "42P01");
      expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
    });

    test("when the query runner was released", async () => {
      const dataSource = await database.connect();
      const queryRunner = dataSource.createQueryRunner();
      await queryRunner.release();
      await expectSameError((reads) => call(reads, queryRunner.manager), "QueryRunnerAlreadyReleasedError");
    });

    test("when the data source was destroyed", async () => {
      const dataSource = await database.connect();
      await dataSource.destroy();
      await expectSameError((reads) => call(reads, dataSource.manager), "TypeORMError");
    });
  });

  test("when a subscriber throws", async () => {
    const dataSource = await database.connect();
    const afterLoad = () => Promise.reject(new RangeError("from the subscriber"));
    dataSource.subscribers.push({ listenTo: () => TaskRunState, afterLoad });
    const { id, taskRunId } = await record(dataSource.manager);
    await expectSameError((reads) => reads.one(dataSource.manager, id), "RangeError");
    await expectSameError((reads) => reads.all(dataSource.manager, taskRunId), "RangeError");
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  });
});

test("each data source has statements of its own, also after it was destroyed and initialised again", async () => {
  const plain: TestDataSource = await database.connect();
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

test("the reads build their statements once", async () => {
  const { manager } = await database.connect();
  const { id, taskRunId } = await record(manager);
  const built = jest.spyOn(manager, "createQueryBuilder");
  await byModule.one(manager, id);
  const atFirst = built.mock.calls.length;
  await byModule.one(manager, id);
  await byModule.all(manager, taskRunId);
  expect(atFirst).toBeGreaterThan(0);
  expect(built).toHaveBeenCalledTimes(atFirst);
});
