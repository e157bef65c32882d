import { randomUUID } from "node:crypto";
import {
  Column,
  DeleteDateColumn,
  Entity,
  getMetadataArgsStorage,
  JoinColumn,
  ManyToOne,
  PrimaryColumn,
} from "typeorm";
import {
  type NewTaskRunState,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
} from "typeorm-task-run-state";

import { connectionsInUse, statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { sqlStateOf } from "./support/failure-of";

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

/** TypeORM gives what it is told of the entity to every later data source. */
function forgetAfterwards(): void {
  const lists = Object.values(getMetadataArgsStorage()).filter(Array.isArray);
  let before: unknown[][] = [];
  beforeAll(() => {
    before = lists.map((list) => [...list]);
  });
  afterAll(() => {
    for (const [index, list] of lists.entries()) list.splice(0, list.length, ...(before[index] ?? []));
  });
}

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
