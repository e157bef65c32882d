import { randomUUID } from "node:crypto";
import { types } from "pg";
import {
  Column,
  type ColumnOptions,
  DeleteDateColumn,
  Entity,
  getMetadataArgsStorage,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
  RelationId,
  type RelationOptions,
  VirtualColumn,
} from "typeorm";
import {
  type NewTaskRunState,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { connectionsInUse, statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { sqlStateOf } from "./support/failure-of";

const service = new TaskRunStateService();
const storage = getMetadataArgsStorage();
const entity = TaskRunState.prototype;

@Entity({ name: "task_run" })
class TaskRun {
  @PrimaryColumn({ type: "uuid" })
  id!: string;
}

@Entity({ name: "worker" })
class Worker {
  @PrimaryColumn({ type: "int" })
  id!: number;
}

/** What the two hosts add. A host declares it as docs/recording.md shows; here it would be so in every test. */
interface Own {
  taskRun?: TaskRun;
  price?: number;
  worker?: Worker;
}

const running = (given: Partial<NewTaskRunState & Own> = {}): NewTaskRunState => ({
  taskRunId: randomUUID(),
  type: "RUNNING",
  ...given,
});

const firstWords = (statements: string[]) => statements.map((sql) => /^\w+/.exec(sql)?.[0]);

/** Tells TypeORM something else of a column. */
const change = (property: string, options: ColumnOptions) => () => {
  const column = storage.filterColumns(TaskRunState).find(({ propertyName }) => propertyName === property);
  if (column) storage.columns.unshift({ ...column, options: { ...column.options, ...options } });
};

/** TypeORM gives what it is told of the entity to every later data source. */
function forgetAfterwards(): void {
  const lists = Object.values(storage).filter(Array.isArray);
  let before: unknown[][] = [];
  beforeAll(() => {
    before = lists.map((list) => [...list]);
  });
  afterAll(() => {
    for (const [index, list] of lists.entries()) list.splice(0, list.length, ...(before[index] ?? []));
    Reflect.deleteProperty(entity, "run"); // The getter of a lazy relation.
  });
}

describe("a state is read as find reads it, and recorded so, where a host adds", () => {
  const database = useDatabase();

  @Entity()
  class Run {
    @PrimaryColumn({ type: "uuid" })
    id!: string;
  }
  class Place {
    @Column({ type: "varchar", nullable: true })
    city!: string | null;
  }
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
      {
        apply: () => Column({ name: "run", type: "text" })(entity, "extra"),
        column: "run text DEFAULT 'x'",
        own: true,
      },
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

  describe.each(changes)("%s", (_, { apply, column, options, own = false }) => {
    forgetAfterwards();

    test(own ? "by the module's own SQL" : "by TypeORM", async () => {
      apply?.();
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

      const order = { timestamp: "ASC", id: "ASC" } as const;
      const findOne = (id: string) => manager.findOneBy(TaskRunState, { id });
      const list = await manager.find(TaskRunState, { where: { taskRunId }, order });
      const { result, statements } = await statementsOf(dataSource, () =>
        service.readTaskRunState(manager, id),
      );
      expect(propertiesOf(result)).toEqual(propertiesOf(await findOne(id)));
      expect(statements.map((sql) => sql.startsWith('SELECT "id", '))).toEqual([own]);
      const listed = await service.readTaskRunStates(manager, taskRunId);
      expect(listed.map(propertiesOf)).toEqual(list.map(propertiesOf));
      const { result: latest, statements: asked } = await statementsOf(dataSource, () =>
        readLatestTaskRunStates(manager, [taskRunId]),
      );
      expect(asked).toContainEqual(expect.stringContaining("CROSS JOIN LATERAL")); // No more than the latest is read.
      expect([...latest.values()].map(propertiesOf)).toEqual(list.slice(-1).map(propertiesOf));

      const { result: recorded, statements: sent } = await statementsOf(dataSource, () =>
        recordTaskRunState(manager, running({ taskRunId })),
      );
      expect(sent.length === 1).toBe(own);
      const stored = await findOne(recorded.id);
      if (stored) expect(propertiesOf(recorded)).toEqual(propertiesOf(stored));
      expect(await service.deleteTaskRunState(manager, id)).toBe(true);
      if (column) await manager.query(`ALTER TABLE task_run_state DROP COLUMN ${column.split(" ")[0]}`);
    });
  });

  /** Names and values in order. A lazy relation is a getter, whose call would load it. */
  function propertiesOf(state: TaskRunState | null): unknown {
    return (
      state &&
      Object.entries(Object.getOwnPropertyDescriptors(state)).map(([name, { value }]) => [name, value])
    );
  }
});

describe("a transformer", () => {
  forgetAfterwards();
  const database = useDatabase();
  const flip = (id: string) => id.replace(/^./, (digit) => (15 - Number.parseInt(digit, 16)).toString(16));
  beforeAll(change("id", { transformer: { to: flip, from: flip } }));

  test("of the id has the state deleted that the transformed id names, as by delete", async () => {
    const { manager } = await database.connect();
    const stored = async () => {
      const [{ id }] = await manager.query(
        `INSERT INTO task_run_state (task_run_id, type, name) VALUES ($1, 'RUNNING', 'Running') RETURNING id`,
        [randomUUID()],
      );
      return id;
    };
    const [one, other] = [await stored(), await stored()];
    expect(await service.deleteTaskRunState(manager, one)).toBe(false);
    expect(await service.deleteTaskRunState(manager, flip(one))).toBe(true);
    expect(await manager.delete(TaskRunState, other)).toMatchObject({ affected: 0 });
    expect(await manager.delete(TaskRunState, flip(other))).toMatchObject({ affected: 1 });
  });

  test("leaves the cache unasked, where find asks it", async () => {
    const cache = { alwaysEnabled: true, duration: 3_600_000 };
    const { manager, queryResultCache } = await database.connect({ cache, migrationsRun: false });
    await queryResultCache?.synchronize();
    const { id } = await recordTaskRunState(manager, running());
    expect((await service.readTaskRunState(manager, id))?.name).toBe("Running");
    await manager.query("UPDATE task_run_state SET name = 'changed' WHERE id = $1", [flip(id)]);
    expect((await service.readTaskRunState(manager, id))?.name).toBe("changed");
  });
});

describe("a relation on a column of the entity", () => {
  forgetAfterwards();
  const database = useDatabase();
  let host: TestDataSource;

  beforeAll(async () => {
    ManyToOne(() => TaskRun)(TaskRunState.prototype, "taskRun");
    JoinColumn({ name: "task_run_id", foreignKeyConstraintName: "fk_task_run" })(
      TaskRunState.prototype,
      "taskRun",
    );
    host = await database.connect({ entities: [TaskRunState, TaskRun] });
    await host.synchronize();
  });

  test("leaves recording one statement", async () => {
    const taskRunId = randomUUID();
    await host.manager.insert(TaskRun, { id: taskRunId });
    const { result, statements } = await statementsOf(host, () =>
      recordTaskRunState(host.manager, running({ taskRunId })),
    );
    expect(firstWords(statements)).toEqual(["INSERT"]);
    expect(result).toStrictEqual(await host.manager.findOneBy(TaskRunState, { id: result.id }));
  });

  test("goes in where it is given, and TypeORM lets it set the column", async () => {
    const taskRun = { id: randomUUID() };
    await host.manager.insert(TaskRun, taskRun);
    const [, state] = await recordTaskRunStates(host.manager, [
      running({ taskRunId: taskRun.id, name: "without" }),
      running({ taskRun }),
    ]);
    const stored = await host.manager.findOneBy(TaskRunState, { taskRunId: taskRun.id, name: "Running" });
    expect(state).toStrictEqual(stored);
  });
});

describe("columns of the host's own", () => {
  forgetAfterwards();
  const database = useDatabase();
  let host: TestDataSource;

  beforeAll(async () => {
    const transformer = {
      to: (price?: number) => price && price * 100,
      from: (cents: number) => cents / 100,
    };
    Column({ name: "cents", type: "int", default: 250, transformer })(TaskRunState.prototype, "price");
    ManyToOne(() => Worker, { eager: true, nullable: true })(TaskRunState.prototype, "worker");
    host = await database.connect({ entities: [TaskRunState, Worker] });
    await host.synchronize();
    await host.manager.insert(Worker, { id: 7 });
  });

  const asFound = ({ id }: TaskRunState) => host.manager.findOneBy(TaskRunState, { id });

  test("are stored as manager.insert stores them, and come back as find reads them", async () => {
    const given = {
      id: randomUUID().toUpperCase(),
      name: "n",
      message: "m",
      price: 1.5,
      worker: { id: 7 },
      stateDetails: { a: 1 },
      data: [1],
    };
    const state = await recordTaskRunState(host.manager, running(given));
    expect(state).toStrictEqual(await asFound(state));
    expect(state).toMatchObject({ ...given, id: given.id.toLowerCase() });

    const instance = host.manager.create(TaskRunState, {
      ...given,
      id: randomUUID(),
      taskRunId: randomUUID(),
      type: "RUNNING",
    });
    await host.manager.insert(TaskRunState, instance);
    const row = async (id: string) => {
      const columns = 'cents, "workerId", name, message, state_details, data';
      return (await host.query(`SELECT ${columns} FROM task_run_state WHERE id = $1`, [id]))[0];
    };
    expect(await row(state.id)).toEqual(await row(instance.id));
    const [byDefault] = await recordTaskRunStates(host.manager, [running()]);
    expect(byDefault).toStrictEqual(await asFound(byDefault as TaskRunState));
    expect(byDefault).toMatchObject({ price: 2.5, worker: null, name: "Running" });
  });

  test("do not cut microseconds, and states without a time list in the order of the array, beyond one statement", async () => {
    const taskRunId = randomUUID();
    const given = Array.from({ length: 1_200 }, (_, index) =>
      running({ id: randomUUID(), taskRunId, price: index, name: `${index}` }),
    );
    const recorded = await recordTaskRunStates(host.manager, [
      running({ taskRunId, timestamp: "2026-01-01T00:00:00.000001Z", name: "first" }),
      ...given,
    ]);
    const names = ["first", ...given.map(({ name }) => name)];
    expect(recorded.map(({ name }) => name)).toEqual(names);
    const order = { timestamp: "ASC", id: "ASC" } as const;
    const listed = await host.manager.find(TaskRunState, { where: { taskRunId }, order });
    expect(listed).toStrictEqual(recorded);
    const [{ us }] = await host.query(
      "SELECT to_char(min(timestamp), 'US') AS us FROM task_run_state WHERE task_run_id = $1",
      [taskRunId],
    );
    expect(us).toBe("000001");
  });

  test.each([
    ["outside of a transaction, in one of its own", false],
    ["inside of one, in that", true],
  ])("all states or none are stored: %s", async (_, inTransaction) => {
    const states = Array.from({ length: 1_000 }, () => running());
    const record = (given: NewTaskRunState[]) =>
      inTransaction
        ? host.transaction((manager) => recordTaskRunStates(manager, given))
        : recordTaskRunStates(host.manager, given);
    const [{ id }] = (await record([running()])) as [TaskRunState];
    const before = await host.manager.count(TaskRunState);
    expect(await sqlStateOf(record([...states, running({ id })]))).toBe("23505");
    expect(await host.manager.count(TaskRunState)).toBe(before);
    const { statements } = await statementsOf(host, () => record(states));
    expect(firstWords(statements)).toEqual(["START", "INSERT", "SELECT", "INSERT", "SELECT", "COMMIT"]);
    expect(await host.manager.count(TaskRunState)).toBe(before + 1_000);
    expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("subscribers hear of each state once, and not that it was read", async () => {
    const heard: string[] = [];
    host.subscribers.push({
      listenTo: () => TaskRunState,
      beforeInsert: () => {
        heard.push("beforeInsert");
      },
      afterInsert: ({ entity }) => {
        heard.push(`afterInsert ${entity.price}`);
      },
      afterLoad: () => {
        heard.push("afterLoad");
      },
    });
    await recordTaskRunStates(host.manager, [running(), running({ price: 1 })]);
    host.subscribers.pop();
    expect(heard).toEqual(["beforeInsert", "beforeInsert", "afterInsert 2.5", "afterInsert 1"]);
  });
});

describe("a soft delete", () => {
  forgetAfterwards();
  const database = useDatabase();

  test("leaves the latest state that is not deleted", async () => {
    DeleteDateColumn({ type: "timestamptz" })(TaskRunState.prototype, "deleted");
    const host = await database.connect();
    await host.synchronize();
    const taskRunId = randomUUID();
    const [first, last] = await recordTaskRunStates(host.manager, [
      running({ taskRunId }),
      running({ taskRunId }),
    ]);
    await host.manager.softDelete(TaskRunState, { id: last?.id ?? "" });
    const latest = await readLatestTaskRunStates(host.manager, [taskRunId, randomUUID()]);
    expect([...latest]).toEqual([[taskRunId, first]]);
  });
});
