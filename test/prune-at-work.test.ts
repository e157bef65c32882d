import { randomUUID } from "node:crypto";
import { pruneTaskRunStates, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { collect } from "./support/collect";
import { connectionsInUse, type TestDataSource, useDatabase } from "./support/database";
import { readPage } from "./support/documents";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { fillHistories } from "./support/fill";
import { sessionsWaitingFor } from "./support/locked-table";
import { record } from "./support/record";
import { type Run, run } from "./support/run";
import { until } from "./support/until";

const BEFORE = new Date("2026-01-01Z");
/** Of the page on growth: the task run behind one whose id stands in it. */
const nextTaskRun = readPage("docs/growth.md").blocks.find(({ kind }) => kind === "sql run")?.code ?? "";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect({ logging: false });
});
beforeEach(() => dataSource.query("DELETE FROM task_run_state"));

test("while two processes write and two callers delete, no state is deleted that a finished history does not hold, and none is counted twice", async () => {
  const writers = [1, 2].map(() =>
    run(process.execPath, ["--import", "tsx", "test/support/keep-finishing.ts"], {
      env: { DATABASE_URL: database.url },
    }),
  );
  const written = (): [string, string][] =>
    writers.flatMap(({ output }) =>
      [...output().matchAll(/^(\w+) ([0-9a-f-]{36})$/gm)].map(([, kind = "", id = ""]) => [kind, id]),
    );
  let deleted = 0;
  const prune = async () => {
    for await (const { states } of pruneTaskRunStates(dataSource.manager, { before: BEFORE, batch: 20 })) {
      deleted += states;
    }
  };
  while (written().length < 300) await Promise.all([prune(), prune()]);
  expect(deleted).toBeGreaterThan(0);
  for (const { signal } of writers) signal("SIGTERM");
  for (const { ended } of writers) expect(await ended).toMatchObject({ code: 0 });
  await prune();

  const histories = await Promise.all(
    written().map(async ([kind, taskRunId]) => {
      const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
      return `${kind}: ${states.map(({ name }) => name)}`;
    }),
  );
  expect(new Set(histories)).toEqual(
    new Set([
      "finished: ",
      "unfinished: Pending,Running",
      "resumed: Pending,Running,Completed,Running",
      "resumed: Running", // It was looked at in between.
    ]),
  );
  const states = { finished: 3, unfinished: 2, resumed: 4 };
  const recorded = written().reduce((sum, [kind]) => sum + states[kind as keyof typeof states], 0);
  const [{ left }] = await dataSource.query("SELECT count(*)::int AS left FROM task_run_state");
  expect(deleted).toBe(recorded - left);
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
}, 60_000);

describe("of two finished task runs, when another transaction holds a state of the second,", () => {
  const [first, second, third] = [1, 2, 3].map((n) => `00000000-0000-4000-8000-00000000000${n}`) as [
    string,
    string,
    string,
  ];
  let held: TaskRunState;

  beforeEach(async () => {
    const finished = { type: StateType.COMPLETED, timestamp: new Date("2020-01-01Z") };
    await record(dataSource.manager, { ...finished, taskRunId: first });
    held = await record(dataSource.manager, { ...finished, taskRunId: second });
  });

  /** What the second step comes to, when the transaction does this to the state and then ends. */
  async function secondStepAfter(change: string): Promise<unknown> {
    const steps = pruneTaskRunStates(dataSource.manager, { before: BEFORE, batch: 1 });
    const { second } = await dataSource.transaction(async (holder) => {
      await holder.query(change, [held.id]);
      expect((await steps.next()).value).toMatchObject({ after: first, states: 1 });
      const second = steps.next();
      await sessionsWaitingFor(holder);
      return { second };
    });
    return (await second).value;
  }

  test("the second step waits for it, and deletes what the transaction has changed", async () => {
    expect(await secondStepAfter("UPDATE task_run_state SET message = 'seen' WHERE id = $1")).toEqual({
      taskRunsSeen: 1,
      taskRuns: 1,
      states: 1,
      after: second,
    });
    expect(await dataSource.manager.count(TaskRunState)).toBe(0);
  });

  test("the second step waits for it, and does not count what the transaction has deleted", async () => {
    expect(await secondStepAfter("DELETE FROM task_run_state WHERE id = $1")).toEqual({
      taskRunsSeen: 1,
      taskRuns: 0,
      states: 0,
      after: second,
    });
  });

  test("the second step ends with 55P03 at lock_timeout, the first one stays, and the work goes on from there or behind it", async () => {
    const impatient = await database.connect({ extra: { options: "-c lock_timeout=50" } });
    const { manager } = impatient;
    await record(manager, { type: StateType.COMPLETED, timestamp: new Date(0), taskRunId: third });
    await dataSource.transaction(async (holder) => {
      await holder.update(TaskRunState, held.id, { message: "held" });
      const steps = collect(pruneTaskRunStates(manager, { before: BEFORE, batch: 1 }));
      expect(await sqlStateOf(steps)).toBe("55P03");
      expect(await failureOf(steps)).toHaveProperty("after", first);
      const [next] = await manager.query(nextTaskRun.replace(/(?<=')[0-9a-f-]{36}/, first));
      expect(next).toEqual({ task_run_id: second });
      const behind = pruneTaskRunStates(manager, { before: BEFORE, after: next.task_run_id });
      expect(await collect(behind)).toMatchObject([{ states: 1, after: third }]);
    });
    expect(await manager.find(TaskRunState)).toMatchObject([{ taskRunId: second }]);
    expect(connectionsInUse(impatient)).toEqual({ inUse: 0, waiting: 0 });
    const rest = pruneTaskRunStates(manager, { before: BEFORE, after: first });
    expect(await collect(rest)).toMatchObject([{ states: 1 }]);
  });

  test("a step ends with 40P01 when a transaction erases both in the other order, and the work goes on", async () => {
    const prune = () => collect(pruneTaskRunStates(dataSource.manager, { before: BEFORE }));
    await dataSource.transaction(async (holder) => {
      await holder.delete(TaskRunState, { taskRunId: second });
      const steps = sqlStateOf(prune());
      await sessionsWaitingFor(holder);
      await holder.delete(TaskRunState, { taskRunId: first });
      expect(await steps).toBe("40P01");
    });
    expect(await prune()).toEqual([]);
  });

  test("in a transaction of REPEATABLE READ, a step fails with 40001 when the row was changed since it began", async () => {
    await dataSource.transaction("REPEATABLE READ", async (manager) => {
      await manager.count(TaskRunState);
      await dataSource.manager.update(TaskRunState, held.id, { message: "changed" });
      expect(await sqlStateOf(collect(pruneTaskRunStates(manager, { before: BEFORE })))).toBe("40001");
    });
    expect(await dataSource.manager.count(TaskRunState)).toBe(2);
  });
});

test("where a rule applies to DELETE, a step fails with 0A000", async () => {
  await dataSource.query("CREATE RULE keep AS ON DELETE TO task_run_state DO INSTEAD NOTHING");
  const steps = collect(pruneTaskRunStates(dataSource.manager, { before: BEFORE }));
  expect(await sqlStateOf(steps)).toBe("0A000");
  await dataSource.query("DROP RULE keep ON task_run_state");
});

test("where a history takes longer than statement_timeout, smaller steps take it in parts", async () => {
  const timed = await database.connect({ extra: { options: "-c statement_timeout=1000" } });
  const finished = { type: StateType.COMPLETED, timestamp: new Date("2020-01-01Z"), taskRunId: randomUUID() };
  for (let n = 0; n < 60; n++) await record(dataSource.manager, finished);
  await dataSource.query(`
    CREATE FUNCTION take_long() RETURNS trigger LANGUAGE plpgsql
      AS 'BEGIN PERFORM pg_sleep(0.02); RETURN OLD; END';
    CREATE TRIGGER take_long BEFORE DELETE ON task_run_state FOR EACH ROW EXECUTE FUNCTION take_long()`);
  const all = collect(pruneTaskRunStates(timed.manager, { before: BEFORE }));
  expect(await sqlStateOf(all)).toBe("57014");
  expect(await failureOf(all)).toHaveProperty("after", undefined);
  expect(await dataSource.manager.count(TaskRunState)).toBe(60);
  const steps = await collect(pruneTaskRunStates(timed.manager, { before: BEFORE, batch: 1 }));
  expect(steps.map(({ states }) => states)).toEqual([10, 10, 10, 10, 10, 10]);
  expect(await dataSource.manager.count(TaskRunState)).toBe(0);
  await dataSource.query("DROP TRIGGER take_long ON task_run_state; DROP FUNCTION take_long");
});

describe("a process that deletes step by step and is killed", () => {
  const RUNS = 300;
  const STATES = 3;

  beforeEach(() => fillHistories(dataSource.manager, { runs: RUNS, states: STATES }));

  function startPruning(after?: string): Run {
    const options = ["--before", "2026-01-01", "--batch", "1", ...(after ? ["--after", after] : [])];
    return run(process.execPath, ["--import", "tsx", "examples/prune.ts", ...options], {
      env: { DATABASE_URL: database.url, PGAPPNAME: "pruning" },
    });
  }

  const lastStep = ({ output }: Run) => /.* up to task run (\S+)\n/s.exec(output())?.[1];

  async function untilItsSessionIsOver(): Promise<void> {
    const sql = "SELECT FROM pg_stat_activity WHERE application_name = 'pruning'";
    await until(async () => (await dataSource.query(sql)).length === 0);
  }

  async function expectWholeHistories(): Promise<number> {
    const rows = await dataSource.query(
      "SELECT count(*)::int AS states FROM task_run_state GROUP BY task_run_id",
    );
    expect(rows.filter(({ states }: { states: number }) => states !== STATES)).toEqual([]);
    return rows.length;
  }

  async function expectToGoOn(killed: Run): Promise<void> {
    expect(await startPruning(lastStep(killed)).ended).toMatchObject({ code: 0 });
    expect(await expectWholeHistories()).toBe(RUNS / 10); // Those that are still running.
    expect(await dataSource.manager.countBy(TaskRunState, { type: StateType.COMPLETED })).toBe(0);
  }

  test("at any moment leaves each history whole or gone, and another one goes on from its last step", async () => {
    const killed = startPruning();
    await killed.printed(/(.*\n){20}/);
    killed.signal("SIGKILL");
    expect(await killed.ended).toMatchObject({ code: null });
    await untilItsSessionIsOver();
    expect(await expectWholeHistories()).toBeGreaterThan(RUNS / 10);
    await expectToGoOn(killed);
  });

  test("within a step leaves each history whole or gone, and another one goes on from its last step", async () => {
    const [{ id }] = await dataSource.query(
      "SELECT id FROM task_run_state WHERE type = 'COMPLETED' ORDER BY task_run_id OFFSET 20 LIMIT 1",
    );
    let killed: Run | undefined;
    await dataSource.transaction(async (holder) => {
      await holder.update(TaskRunState, id, { message: "held" });
      killed = startPruning();
      await sessionsWaitingFor(holder);
      killed.signal("SIGKILL");
      await killed.ended;
    });
    await untilItsSessionIsOver();
    expect(await expectWholeHistories()).toBeGreaterThan(RUNS / 10);
    await expectToGoOn(killed as Run);
  });
});
