import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { Client, types } from "pg";
import {
  Column,
  type ColumnOptions,
  type DataSource,
  DeleteDateColumn,
  Entity,
  EntityManager,
  type EntitySubscriberInterface,
  getMetadataArgsStorage,
  JoinColumn,
  type LoadEvent,
  type Logger,
  ManyToOne,
  PrimaryColumn,
  RelationId,
  type RelationOptions,
  type SelectQueryBuilder,
  VirtualColumn,
} from "typeorm";
import {
  readLatestTaskRunStates,
  recordTaskRunState,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";

import { connectionsInUse, statementsOf, type TestDataSource, useDatabase } from "./support/database";
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

test("a value in every column reads as find reads it", async () => {
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
  expectSame([await byModule.one(manager, id)], [found]);
  expectSame(await byModule.all(manager, taskRunId), [found]);
});

describe("times read as find reads them", () => {
  const TIMESTAMPTZ = types.builtins.TIMESTAMPTZ;
  const TIMES = [
    "-infinity",
    "4713-01-01 00:00:00+00 BC",
    "0044-03-15 12:00:00+00 BC",
    "0050-06-07 08:09:10.5+00",
    "0099-12-31 23:59:59.999999+00",
    "0100-01-01 00:00:00+00",
    "1883-11-18 12:03:58+00",
    "1970-01-01 00:00:00+00",
    "2024-02-29 23:59:59.9+00",
    "2026-11-27 22:30:01.012+00",
    "2026-11-27 22:30:01.000001+00",
    "2026-11-27 22:30:01.98765+00",
    "9999-12-31 23:59:59.999999+00",
    "10000-01-01 00:00:00+00",
    "294276-12-31 23:59:59.999999+00",
    "infinity",
  ];

  class PreciseDate extends Date {
    constructor(readonly text: string) {
      super(text);
    }
  }
  const parserOfPg = types.getTypeParser(TIMESTAMPTZ);
  const typesWith = (parse: (text: string) => unknown) => ({
    getTypeParser: (oid: number, format: "text") =>
      oid === TIMESTAMPTZ ? parse : types.getTypeParser(oid, format),
  });
  class OwnParserClient extends Client {
    constructor(config: string) {
      super(config);
      this.setTypeParser(TIMESTAMPTZ, (text) => new PreciseDate(text) as unknown as string);
    }
  }

  const settings: [string, object, typeof Client?][] = [
    ["pg's parser", {}],
    ["a parser that leaves text", { types: typesWith((text) => text) }],
    ["a parser that makes a subclass of Date", { types: typesWith((text) => new PreciseDate(text)) }],
    [
      "a parser that rounds",
      { types: typesWith((text) => new Date(Math.round(Date.parse(`${text}:00`) / 1000) * 1000)) },
    ],
    [
      "a parser that makes null of a far end",
      { types: typesWith((text) => (text < "9999" ? parserOfPg(text) : null)) },
    ],
    ["a parser that shifts", { types: typesWith((text) => new Date(Number(parserOfPg(text)) + 3_600_000)) }],
    ["a parser that a Client class sets", {}, OwnParserClient],
    ["another time zone", { options: "-c TimeZone=Asia/Kathmandu" }],
    ["a time zone of whole hours", { options: "-c TimeZone=America/New_York" }],
    ["the DateStyle SQL", { options: "-c DateStyle=SQL" }],
    ["the DateStyle Postgres", { options: "-c DateStyle=Postgres" }],
    ["the DateStyle German", { options: "-c DateStyle=German" }],
  ];
  const clients: [string, (HostClient: typeof Client) => typeof Client][] = [
    ["on the host's client", (HostClient) => HostClient],
    ["on a client that prepares", withPreparedStatements],
  ];

  describe.each(clients)("%s", (_, wrap) => {
    test.each(settings)("with %s", async (_, extra, HostClient = Client) => {
      const { manager } = await database.connect({ extra: { ...extra, Client: wrap(HostClient) } });
      const taskRunId = randomUUID();
      await manager.query(
        `INSERT INTO task_run_state (task_run_id, type, name, timestamp, created)
         SELECT $1, 'RUNNING', 'Running', time::timestamptz, time::timestamptz FROM unnest($2::text[]) time`,
        [taskRunId, TIMES],
      );
      const found = (await byTypeOrm.all(manager, taskRunId)).map(withDates);
      expect(found).toHaveLength(TIMES.length);
      expect((await byModule.all(manager, taskRunId)).map(written)).toEqual(found.map(written));
      for (const state of found) {
        const read = await byModule.one(manager, state.id);
        expect(read && written(read)).toEqual(written(state));
      }
    });
  });

  /** The state with its times as their class, instant and fields: to jest, an invalid date is not equal to another. */
  function written(state: TaskRunState): object {
    const times = [state.created, state.updated, state.timestamp].map((time: Date | null) => ({
      ...time,
      class: time?.constructor,
      instant: Number(time),
    }));
    return { ...state, created: 0, updated: 0, timestamp: 0, times };
  }

  /** Before TypeORM 1, `find` leaves a time as text where the parser does. */
  function withDates(state: TaskRunState): TaskRunState {
    for (const property of ["created", "updated", "timestamp"] as const) {
      const time: unknown = state[property];
      if (typeof time === "string") state[property] = new Date(time);
    }
    return state;
  }
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

describe("what a host's manager adds to its queries", () => {
  class CommentingManager extends EntityManager {
    override createQueryBuilder(...args: unknown[]): never {
      const create = super.createQueryBuilder as (...args: unknown[]) => SelectQueryBuilder<TaskRunState>;
      return create.apply(this, args).comment("of one request") as never;
    }
  }

  test("is not in this module's statements", async () => {
    const dataSource = await database.connect();
    const { id } = await record(dataSource.manager);
    dataSource.statements.length = 0;
    expect((await byModule.one(new CommentingManager(dataSource), id))?.id).toBe(id);
    expect(dataSource.statements).toEqual([expect.not.stringContaining("of one request")]);
  });
});

describe("where a host tells TypeORM more of the entity, a read gives what find gives, and a recorded state is the same", () => {
  const storage = getMetadataArgsStorage();
  const entity = TaskRunState.prototype;

  @Entity()
  class Run {
    @PrimaryColumn({ type: "uuid" })
    id!: string;
  }
  class Place {
    @Column({ type: "varchar", nullable: true })
    city!: string | null;
  }
  const change = (property: string, options: ColumnOptions) => () => {
    const column = storage.filterColumns(TaskRunState).find(({ propertyName }) => propertyName === property);
    if (column) storage.columns.unshift({ ...column, options: { ...column.options, ...options } });
  };
  const runOfState = (options: RelationOptions) => () => {
    ManyToOne(() => Run, { ...options, createForeignKeyConstraints: false })(entity, "run");
    JoinColumn({ name: "task_run_id" })(entity, "run");
  };
  const transformer = { from: (text: string) => `<${text}>`, to: (text: string) => text };

  const parserOfDates = (oid: number, format: "text") =>
    oid === types.builtins.TIMESTAMPTZ ? (text: string) => new Date(text) : types.getTypeParser(oid, format);

  /** What a host does to the entity, with the SQL of a column that it adds; and whether the module's own SQL does for it. */
  const changes: [string, { apply?: () => void; column?: string; options?: object; own?: true }][] = [
    ["nothing", { own: true }],
    ["a transformer", { apply: change("message", { transformer }) }],
    ["a column that is not selected", { apply: change("data", { select: false }) }],
    [
      "a column of a type that TypeORM converts",
      { apply: () => Column({ type: "date" })(entity, "extra"), column: "extra date DEFAULT '2026-01-02'" },
    ],
    [
      "a column that it reads as it is",
      { apply: () => Column({ type: "text" })(entity, "extra"), column: "extra text DEFAULT 'x'", own: true },
    ],
    [
      "an empty time, under a parser of the host's own",
      {
        apply: () => Column({ type: "timestamptz", nullable: true })(entity, "extra"),
        column: "extra timestamptz",
        options: { extra: { types: { getTypeParser: parserOfDates } } },
        own: true,
      },
    ],
    [
      "an array",
      {
        apply: () => Column({ type: "enum", enum: ["a", "b"], array: true })(entity, "extra"),
        column: "extra text DEFAULT '{a,b}'",
      },
    ],
    [
      "a virtual column",
      {
        apply: () =>
          VirtualColumn({ type: "text", query: (alias) => `upper(${alias}.name)` })(entity, "extra"),
      },
    ],
    [
      "an embedded entity",
      { apply: () => Column(() => Place)(entity, "place"), column: `"placeCity" text DEFAULT 'Rome'` },
    ],
    [
      "a soft delete",
      {
        apply: () => DeleteDateColumn({ type: "timestamptz" })(entity, "extra"),
        column: "extra timestamptz DEFAULT now()",
      },
    ],
    ["a relation", { apply: runOfState({}), own: true }],
    ["an eager relation", { apply: runOfState({ eager: true }) }],
    ["a lazy relation", { apply: runOfState({ lazy: true }) }],
    [
      "a relation with a column of its own",
      {
        apply: () => ManyToOne(() => Run, { createForeignKeyConstraints: false })(entity, "other"),
        column: `"otherId" uuid`,
      },
    ],
    [
      "the id of a relation",
      {
        apply: () => {
          runOfState({})();
          RelationId("run")(entity, "extra");
        },
      },
    ],
    ["the option typename", { options: { typename: "__typename" } }],
  ];

  test.each(changes)("%s", async (_, { apply, column, options, own = false }) => {
    const lists = Object.values(storage).filter(Array.isArray);
    const before = lists.map((list) => [...list]);
    apply?.();
    try {
      const dataSource = await database.connect({ ...options, entities: [TaskRunState, Run] });
      const { manager } = dataSource;
      await manager.query("CREATE TABLE IF NOT EXISTS run (id uuid PRIMARY KEY)");
      if (column) await manager.query(`ALTER TABLE task_run_state ADD COLUMN ${column}`);
      const taskRunId = randomUUID();
      await manager.query("INSERT INTO run VALUES ($1)", [taskRunId]);
      // In the order of time and id, this is the last of three.
      const id = `${taskRunId.slice(0, -1)}c`;
      await manager.query(
        `INSERT INTO task_run_state (id, task_run_id, timestamp, type, name, message, data)
         SELECT overlay($1 PLACING digit FROM 36)::uuid, $1::uuid, time::timestamptz, 'RUNNING', 'Running', 'said', '[1]'
         FROM (VALUES ('c', '2026-01-02Z'), ('b', '2026-01-02Z'), ('d', '2026-01-01Z')) AS given (digit, time)`,
        [taskRunId],
      );

      const found = [await byTypeOrm.one(manager, id), ...(await byTypeOrm.all(manager, taskRunId))];
      const { result, statements } = await statementsOf(dataSource, () => byModule.one(manager, id));
      const read = [result, ...(await byModule.all(manager, taskRunId))];
      expect(read.map(propertiesOf)).toEqual(found.map(propertiesOf));
      expect(statements.map((sql) => sql.startsWith("SELECT state."))).toEqual([own]);
      const latest = await readLatestTaskRunStates(manager, [taskRunId]);
      expect([...latest.values()].map(propertiesOf)).toEqual(found.slice(1).slice(-1).map(propertiesOf));
      const { result: recorded, statements: sent } = await statementsOf(dataSource, () =>
        recordTaskRunState(manager, { taskRunId, type: "RUNNING" }),
      );
      expect(sent.length === 1).toBe(own);
      const stored = await byTypeOrm.one(manager, recorded.id);
      if (stored) expect(propertiesOf(recorded)).toEqual(propertiesOf(stored));
      expect(await service.deleteTaskRunState(manager, id)).toBe(true);
      if (column) await manager.query(`ALTER TABLE task_run_state DROP COLUMN ${column.split(" ")[0]}`);
    } finally {
      Reflect.deleteProperty(entity, "run"); // the getter of the lazy relation
      for (const [index, list] of lists.entries()) list.splice(0, list.length, ...(before[index] ?? []));
    }
  });

  test("and its cache is not asked", async () => {
    const before = [...storage.columns];
    change("message", { transformer })();
    try {
      const cache = { alwaysEnabled: true, duration: 3_600_000 };
      const { manager, queryResultCache } = await database.connect({ cache, migrationsRun: false });
      await queryResultCache?.synchronize();
      const { id } = await recordTaskRunState(manager, { taskRunId: randomUUID(), type: "RUNNING" });
      expect((await byModule.one(manager, id))?.name).toBe("Running");
      await manager.query("UPDATE task_run_state SET name = 'changed' WHERE id = $1", [id]);
      expect((await byModule.one(manager, id))?.name).toBe("changed");
    } finally {
      storage.columns.splice(0, storage.columns.length, ...before);
    }
  });

  /** Names and values in order. A lazy relation is a getter, whose call would load it. */
  function propertiesOf(state: TaskRunState | null): unknown {
    return (
      state &&
      Object.entries(Object.getOwnPropertyDescriptors(state)).map(([name, { value }]) => [name, value])
    );
  }
});
