import { randomUUID } from "node:crypto";
import fc from "fast-check";
import { type EntityManager, EntityMetadataNotFoundError } from "typeorm";
import {
  InvalidUuidError,
  type PruneOptions,
  type PruneStep,
  pruneTaskRunStates,
  StateType,
  TaskRunState,
} from "typeorm-task-run-state";
import { collect } from "./support/collect";
import { connectionsInUse, type TestDataSource, useDatabase } from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});
beforeEach(() => dataSource.query("DELETE FROM task_run_state"));

const BEFORE = new Date("2026-06-01T00:00:00.000Z");

/** A state as far as retention looks at it. */
interface Row {
  taskRunId: string;
  id: string;
  type: StateType;
  /** Microseconds from BEFORE on. */
  time: number;
}

async function store(rows: Row[]): Promise<void> {
  await dataSource.query(
    `INSERT INTO task_run_state (task_run_id, id, type, timestamp, name)
     SELECT "taskRunId", id, type, $2::timestamptz + time * interval '1 microsecond', ''
     FROM jsonb_to_recordset($1) AS row ("taskRunId" uuid, id uuid, type task_run_state_type, time int)`,
    [JSON.stringify(rows), BEFORE],
  );
}

async function storedIds(): Promise<string[]> {
  const rows = await dataSource.query("SELECT id FROM task_run_state");
  return rows.map(({ id }: Row) => id).sort();
}

const ofTaskRun = (rows: Row[], taskRunId: string) =>
  rows.filter((row) => row.taskRunId === taskRunId).sort((a, b) => a.time - b.time || (a.id < b.id ? -1 : 1));

/** What the definition of retention says of these histories. */
function expected(rows: Row[], after: string): { totals: Omit<PruneStep, "after">; left: string[] } {
  const taskRunIds = [...new Set(rows.map(({ taskRunId }) => taskRunId))].filter((id) => id > after);
  const gone = taskRunIds.filter((taskRunId) => {
    const latest = ofTaskRun(rows, taskRunId).at(-1);
    return latest && latest.time < 0 && /^(COMPLETED|FAILED|CANCELLED|CRASHED)$/.test(latest.type);
  });
  const left = rows.filter(({ taskRunId }) => !gone.includes(taskRunId)).map(({ id }) => id);
  const states = rows.length - left.length;
  return { totals: { taskRunsSeen: taskRunIds.length, taskRuns: gone.length, states }, left: left.sort() };
}

function totalsOf(steps: PruneStep[]): Omit<PruneStep, "after"> {
  const totals = { taskRunsSeen: 0, taskRuns: 0, states: 0 };
  for (const step of steps) {
    totals.taskRunsSeen += step.taskRunsSeen;
    totals.taskRuns += step.taskRuns;
    totals.states += step.states;
  }
  return totals;
}

/** Of each history all states are stored, or none, or the last ones. */
async function expectLastStates(rows: Row[]): Promise<void> {
  const stored = await storedIds();
  for (const taskRunId of new Set(rows.map((row) => row.taskRunId))) {
    const history = ofTaskRun(rows, taskRunId).map(({ id }) => id);
    const left = history.filter((id) => stored.includes(id));
    expect(left).toEqual(history.slice(history.length - left.length));
  }
}

const NIL = "00000000-0000-0000-0000-000000000000";
const MAX = "ffffffff-ffff-ffff-ffff-ffffffffffff";
const taskRunId = fc.oneof(
  fc.constantFrom(NIL, MAX),
  { weight: 5, arbitrary: fc.uuid({ version: 4 }) },
  { weight: 5, arbitrary: fc.uuid({ version: 7 }) },
);
const state = fc.record({
  id: fc.nat(9), // how the id begins
  type: fc.constantFrom(...Object.values(StateType)),
  time: fc.oneof(fc.integer({ min: -2, max: 1 }), fc.integer({ min: -2_000_000_000, max: 2_000_000_000 })),
});
const many = fc.array(state, { minLength: 11, maxLength: 25 });
const histories = fc
  .uniqueArray(
    fc.tuple(
      taskRunId,
      fc.oneof({ weight: 4, arbitrary: fc.array(state, { minLength: 1, maxLength: 5 }) }, many),
    ),
    {
      selector: ([taskRunId]) => taskRunId,
      maxLength: 9,
    },
  )
  .map((histories) =>
    histories
      .flatMap(([taskRunId, states]) => states.map((row) => ({ taskRunId, ...row })))
      .map((row, index) => ({
        ...row,
        id: `${row.id}0000000-0000-4000-8000-${String(index).padStart(12, "0")}`,
      })),
  );
const after = fc.option(fc.oneof(taskRunId, fc.nat(20)), { nil: undefined });

test("of any histories, exactly those go that the definition names, step by step, in a dry run and in earnest, also when it stops and goes on", async () => {
  await fc.assert(
    fc.asyncProperty(
      histories,
      fc.integer({ min: 1, max: 4 }),
      after,
      fc.nat(4),
      async (rows, batch, start, stopAfter) => {
        await dataSource.query("DELETE FROM task_run_state");
        await store(rows);
        // The number stands for one of the task runs.
        const given = typeof start === "number" ? rows[start % rows.length]?.taskRunId : start;
        const { totals, left } = expected(rows, given ?? "");
        const options: PruneOptions = { before: BEFORE, batch, after: given };

        const dryRun = pruneTaskRunStates(dataSource.manager, { ...options, dryRun: true });
        expect(totalsOf(await collect(dryRun))).toEqual(totals);
        expect(await storedIds()).toEqual(rows.map(({ id }) => id).sort());

        const steps: PruneStep[] = [];
        for await (const step of pruneTaskRunStates(dataSource.manager, options)) {
          steps.push(step);
          expect(step.taskRunsSeen + step.states).toBeGreaterThan(0);
          expect(step.taskRunsSeen).toBeLessThanOrEqual(batch);
          expect(step.states).toBeLessThanOrEqual(10 * batch);
          await expectLastStates(rows);
          if (steps.length === stopAfter) break;
        }
        const last = steps.length > 0 ? steps.at(-1)?.after?.toUpperCase() : given;
        steps.push(...(await collect(pruneTaskRunStates(dataSource.manager, { ...options, after: last }))));
        expect(totalsOf(steps)).toEqual(totals);
        expect(await storedIds()).toEqual(left);
      },
    ),
    { numRuns: Number(process.env.RANDOM_HISTORIES ?? 200) },
  );
}, 60_000);

/** A finished history of one state, older than BEFORE. */
async function finished(taskRunId: string = randomUUID(), manager = dataSource.manager): Promise<string> {
  await record(manager, { taskRunId, type: StateType.COMPLETED, timestamp: new Date(BEFORE.getTime() - 1) });
  return taskRunId;
}

test("each step is one statement, which commits by itself and holds no connection after it", async () => {
  await Promise.all([finished(), finished(), finished()]);
  dataSource.statements.length = 0;
  const steps = pruneTaskRunStates(dataSource.manager, { before: BEFORE, batch: 2 });
  expect(dataSource.statements).toEqual([]);
  await steps.next();
  expect(await storedIds()).toHaveLength(1);
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  await collect(steps);
  expect(dataSource.statements.filter((sql) => sql.includes("DELETE"))).toHaveLength(2);
  expect(dataSource.statements.filter((sql) => /BEGIN|START|COMMIT/.test(sql))).toEqual([]);
});

test("unless told otherwise, a step looks at 1,000 task runs", async () => {
  const rows = Array.from({ length: 1001 }, (_, n) => ({ taskRunId: randomUUID(), id: randomUUID(), n }));
  await store(rows.map((row) => ({ ...row, type: StateType.RUNNING, time: -1 })));
  const steps = await collect(pruneTaskRunStates(dataSource.manager, { before: BEFORE }));
  expect(steps.map(({ taskRunsSeen }) => taskRunsSeen)).toEqual([1000, 1]);
});

test("when a step fails, TypeORM's error says where to go on", async () => {
  const [first, second] = [await finished(NIL), await finished(MAX)];
  await dataSource.query(`
    CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''kept''; END';
    CREATE TRIGGER refuse BEFORE DELETE ON task_run_state FOR EACH ROW
      WHEN (OLD.task_run_id = '${second}') EXECUTE FUNCTION refuse()`);
  const failing = collect(pruneTaskRunStates(dataSource.manager, { before: BEFORE, batch: 1 }));
  expect(await sqlStateOf(failing)).toBe("P0001");
  expect(await failureOf(failing)).toHaveProperty("after", first);
  await dataSource.query("DROP TRIGGER refuse ON task_run_state; DROP FUNCTION refuse");
});

describe("of three finished task runs, when the second has more states than a step deletes,", () => {
  const taskRunIds = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`);
  const [first, giant, third] = taskRunIds as [string, string, string];
  const options = { before: BEFORE, batch: 2 };

  beforeEach(async () => {
    await finished(first);
    for (let n = 0; n < 23; n++) await finished(giant);
    await finished(third);
  });

  const step = (taskRunsSeen: number, taskRuns: number, states: number, after: string) => ({
    taskRunsSeen,
    taskRuns,
    states,
    after,
  });

  test("its states go in parts, and a dry run counts them at once", async () => {
    const dryRun = pruneTaskRunStates(dataSource.manager, { ...options, dryRun: true });
    expect(await collect(dryRun)).toEqual([
      step(1, 1, 1, first),
      step(1, 1, 23, giant),
      step(1, 1, 1, third),
    ]);
    expect(await collect(pruneTaskRunStates(dataSource.manager, options))).toEqual([
      step(1, 1, 1, first),
      step(0, 0, 20, first),
      step(2, 2, 4, third),
    ]);
  });

  test("its rest stays when it gets a new state between two parts", async () => {
    const steps = pruneTaskRunStates(dataSource.manager, options);
    await collect(steps, 2);
    await record(dataSource.manager, { taskRunId: giant, type: StateType.RUNNING });
    expect(await collect(steps)).toEqual([step(2, 1, 1, third)]);
    expect(await dataSource.manager.countBy(TaskRunState, { taskRunId: giant })).toBe(4);
  });

  test("it is passed over when the database keeps each of its states", async () => {
    await dataSource.query(`
      CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
      CREATE TRIGGER keep BEFORE DELETE ON task_run_state FOR EACH ROW
        WHEN (OLD.task_run_id = '${giant}') EXECUTE FUNCTION keep()`);
    expect(await collect(pruneTaskRunStates(dataSource.manager, options))).toEqual([
      step(1, 1, 1, first),
      step(1, 0, 0, giant),
      step(1, 1, 1, third),
    ]);
    await dataSource.query("DROP TRIGGER keep ON task_run_state; DROP FUNCTION keep");
  });
});

test("in the caller's transaction a step sees what the transaction wrote, and a rollback undoes it", async () => {
  await finished();
  const rolledBack = dataSource.transaction(async (manager) => {
    await finished(randomUUID(), manager);
    const steps = await collect(pruneTaskRunStates(manager, { before: BEFORE, batch: 1 }));
    expect(steps).toMatchObject([{ states: 1 }, { states: 1 }]);
    throw new Error("rolled back");
  });
  await expect(rolledBack).rejects.toThrow("rolled back");
  expect(await storedIds()).toHaveLength(1);
});

test("the schema and the prefix of the data source are followed", async () => {
  await dataSource.query('CREATE SCHEMA "The app"');
  const other = await database.connect({ schema: "The app", entityPrefix: "its " });
  const kept = await finished();
  const gone = await finished(randomUUID(), other.manager);
  expect(await collect(pruneTaskRunStates(other.manager, { before: BEFORE }))).toEqual([
    { taskRunsSeen: 1, taskRuns: 1, states: 1, after: gone },
  ]);
  expect(await collect(pruneTaskRunStates(dataSource.manager, { before: BEFORE, dryRun: true }))).toEqual([
    { taskRunsSeen: 1, taskRuns: 1, states: 1, after: kept },
  ]);
});

describe("when it is called, before any SQL, it refuses", () => {
  const before = BEFORE;
  const manager = () => dataSource.manager;
  test.each<[string, () => unknown, unknown, new (...args: never[]) => Error, string]>([
    ["a data source", () => dataSource, { before }, TypeError, "^manager must be .* received DataSource"],
    ["no options", manager, undefined, TypeError, "^before must be a Date, but received undefined\\.$"],
    ["null for options", manager, null, TypeError, "^before must be a Date, but received undefined\\.$"],
    [
      "a string for before",
      manager,
      { before: "2026" },
      TypeError,
      "^before must be a Date, but received String\\.$",
    ],
    ["an invalid date", manager, { before: new Date("") }, RangeError, "^before must be a valid Date\\.$"],
    [
      "a string for batch",
      manager,
      { before, batch: "9" },
      TypeError,
      "^batch must be .*, but received String\\.$",
    ],
    [
      "a string for dryRun",
      manager,
      { before, dryRun: "no" },
      TypeError,
      "^dryRun must be true or false, but received String\\.$",
    ],
    [
      "null for batch",
      manager,
      { before, batch: null },
      TypeError,
      "^batch must be .*, but received null\\.$",
    ],
    [
      "an empty batch",
      manager,
      { before, batch: 0 },
      RangeError,
      "^batch must be a whole number from 1 on, but received 0\\.$",
    ],
    [
      "half a task run",
      manager,
      { before, batch: 1.5 },
      RangeError,
      "^batch must be .*, but received 1.5\\.$",
    ],
    [
      "an endless batch",
      manager,
      { before, batch: Infinity },
      RangeError,
      "^batch must be .*, but received Infinity\\.$",
    ],
    [
      "what is no UUID",
      manager,
      { before, after: "42" },
      InvalidUuidError,
      '^after must be a UUID .* received string "42"',
    ],
    [
      "null for after",
      manager,
      { before, after: null },
      InvalidUuidError,
      "^after must be a UUID .* received null",
    ],
  ])("%s", (_, manager, options, kind, message) => {
    dataSource.statements.length = 0;
    let error: unknown;
    try {
      pruneTaskRunStates(manager() as EntityManager, options as PruneOptions);
    } catch (thrown) {
      error = thrown;
    }
    expect(error).toBeInstanceOf(kind);
    expect((error as Error).message).toMatch(new RegExp(message));
    expect(dataSource.statements).toEqual([]);
  });

  test("the manager of a data source without the entity", async () => {
    const { manager } = await database.connect({ entities: [] });
    expect(() => pruneTaskRunStates(manager, { before })).toThrow(EntityMetadataNotFoundError);
  });
});

test("a host whose parsers leave all values as text prunes all task runs, and gets numbers", async () => {
  const types = { getTypeParser: () => String };
  const host = await database.connect({ migrationsRun: false, extra: { types } });
  for (const taskRunId of [NIL, MAX]) await record(dataSource.manager, { taskRunId });
  const counts = { taskRunsSeen: 1, taskRuns: 0, states: 0 };
  expect(await collect(pruneTaskRunStates(host.manager, { before: BEFORE, batch: 1 }))).toEqual([
    { ...counts, after: NIL },
    { ...counts, after: MAX },
  ]);
});
