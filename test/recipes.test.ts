import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { InvalidUuidError, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { latestDistributed } from "../examples/engines/latest-distributed";
import { durations, insertedSince, page, recordUnlessEnded } from "../examples/recipes";
import { type TestDataSource, useDatabase } from "./support/database";
import { readPage } from "./support/documents";
import { failureOf } from "./support/failure-of";
import { fillHistories } from "./support/fill";
import { LatestQuery } from "./support/latest-query";
import { explain } from "./support/plan";
import { record } from "./support/record";

const RUNS = 20_000;
const STATES = 10;
const INDEX = "ix_task_run_state__task_run_id_timestamp";
const KEY = "pk_task_run_state";

const database = useDatabase();
const writing = useDatabase();
const service = new TaskRunStateService();
const latest = new LatestQuery();
let dataSource: TestDataSource;
let manager: EntityManager;
/**
 * Some of the task runs. The states of the first are of the same time, and so are many of the second, whose history is long.
 * The third began a microsecond later.
 */
let taskRunIds: [string, string, string, string, ...string[]];

beforeAll(async () => {
  dataSource = await database.connect({ logger: latest });
  manager = dataSource.manager;
  await fillHistories(manager, { runs: RUNS, states: STATES });
  await fillHistories(manager, { runs: 1, states: 990, first: 2 });
  const rows = await manager.query("SELECT md5('task run ' || n)::uuid AS id FROM generate_series(1, 20) n");
  taskRunIds = rows.map(({ id }: { id: string }) => id);
  const [tied, long, late] = taskRunIds;
  const change = (timestamp: string, ...ids: string[]) =>
    manager.query(`UPDATE task_run_state SET timestamp = ${timestamp} WHERE task_run_id = ANY ($1)`, [ids]);
  await change("date_trunc('minute', timestamp)", tied, long);
  await change("timestamp + CASE type WHEN 'PENDING' THEN interval '1 us' ELSE '0' END", late);
  await manager.query("VACUUM (ANALYZE, INDEX_CLEANUP ON) task_run_state");
}, 60_000);

/** What the recipe answers, and how many rows its statement reads by which index. */
async function measure<T>(recipe: Promise<T>): Promise<{ answer: T; rows: Record<string, number> }> {
  const answer = await recipe;
  const { sql, parameters } = latest;
  return { answer, rows: (await explain(dataSource, sql, parameters)).rows };
}

const history = (taskRunId: string) => service.readTaskRunStates(manager, taskRunId);

const ids = (states: TaskRunState[]) => states.map(({ id }) => id);

test("of 16 writers at once one ends the task run, and none records behind it", async () => {
  const host = await writing.connect({ extra: { max: 16 } });
  const writers = Array.from({ length: 16 }, (_, n) => n);
  const taskRuns = Array.from({ length: 10 }, () => randomUUID());
  for (const taskRunId of taskRuns) {
    const recorded = await Promise.all(
      writers.map((n) => recordUnlessEnded(host.manager, { taskRunId, type: n % 2 ? "FAILED" : "RUNNING" })),
    );
    const states = recorded.filter((state) => state !== null);
    const listed = await service.readTaskRunStates(host.manager, taskRunId);
    expect(ids(listed)).toEqual(expect.arrayContaining(ids(states)));
    expect(listed).toHaveLength(states.length);
    expect(listed.findIndex(({ type }) => type === "FAILED")).toBe(listed.length - 1);
    expect(await recordUnlessEnded(host.manager, { taskRunId, type: "RUNNING" })).toBeNull();
  }
});

test("how long each state lasted takes the history", async () => {
  const [, , late] = taskRunIds;
  const { answer, rows } = await measure(durations(manager, late));
  const names = (await history(late)).map(({ name }) => name);
  const seconds = [0.999999, ...Array(STATES - 2).fill(1), null];
  expect(answer).toEqual(names.map((name, n) => ({ name, seconds: seconds[n] })));
  expect(rows).toEqual({ [INDEX]: STATES });
});

test("the pages of a long history take their rows and those of the times at which they begin and end", async () => {
  const [, long] = taskRunIds;
  const expected = ids(await history(long));
  const found: string[] = [];
  let next: string | null | undefined;
  while (next !== null) {
    const { answer, rows } = await measure(page(manager, long, next));
    found.push(...ids(answer.states));
    expect(rows[INDEX] ?? 0).toBeLessThanOrEqual(100 + 2 * 60); // Sixty states are of the same minute.
    expect(Object.keys(rows)).toEqual([INDEX]);
    next = answer.next;
  }
  expect(found).toEqual(expected);
  expect(found).toHaveLength(1000);
});

describe("a page behind a place", () => {
  const taskRunId = randomUUID();
  /** 250 states, seven to each millisecond and two to each microsecond, in no order of their ids, which are below those of now. */
  beforeAll(() =>
    manager.query(
      `INSERT INTO task_run_state (id, task_run_id, type, name, timestamp)
       SELECT overlay(gen_random_uuid()::text PLACING '0000' FROM 1)::uuid, $1, 'RUNNING', 'Running', timestamptz '1969-12-31 23:59:59.99Z' + n / 2 * interval '250 us'
       FROM generate_series(1, 250) n`,
      [taskRunId],
    ),
  );

  afterAll(() => manager.delete(TaskRunState, { taskRunId }));

  test("repeats and skips nothing when states around it are deleted", async () => {
    const expected = ids(await history(taskRunId));
    const first = await page(manager, taskRunId);
    await manager.delete(TaskRunState, expected.slice(90, 105));
    const second = await page(manager, taskRunId, first.next ?? "");
    const third = await page(manager, taskRunId, second.next ?? "");
    expect(ids(first.states)).toEqual(expected.slice(0, 100));
    expect(ids(second.states)).toEqual(expected.slice(105, 205));
    expect(ids(third.states)).toEqual(expected.slice(205));
    expect(third.next).toBeNull();
  });

  test("is of the task run that was asked for, also behind the place of another one", async () => {
    const [plain] = taskRunIds;
    const { next } = await page(manager, taskRunId);
    expect((await page(manager, plain, next ?? "")).states).toEqual(await history(plain));
  });
});

test("what is no id, or no place of a page, is refused before any SQL", async () => {
  const taskRunId = randomUUID();
  latest.sql = "";
  for (const id of ["7", "' OR true --", ""]) {
    for (const refused of [
      durations(manager, id),
      page(manager, id),
      page(manager, taskRunId, id),
      page(manager, taskRunId, `0:${id}`),
      page(manager, taskRunId, taskRunId),
    ]) {
      expect(await failureOf(refused)).toBeInstanceOf(InvalidUuidError);
    }
  }
  expect(latest.sql).toBe("");
});

test("the latest states of a distributed table take their histories", async () => {
  const { answer, rows } = await measure(latestDistributed(manager, taskRunIds));
  const histories = await Promise.all(taskRunIds.map(history));
  expect(new Set(answer)).toEqual(new Set(histories.map((states) => states.at(-1))));
  expect(rows).toEqual({ [INDEX]: histories.flat().length });
  expect(await latestDistributed(manager, [])).toEqual([]);
});

describe("of all task runs,", () => {
  const blocks = readPage("docs/recipes.md").blocks.filter(({ kind }) => kind === "sql run");
  const [stuck, counts, since] = blocks.map(({ code }) => code) as [string, string, string];
  let start: Date;
  let recorded: string[];

  beforeAll(async () => {
    start = new Date();
    const states = [await record(manager), await record(manager), await record(manager)];
    recorded = ids(states);
  });

  test("those that are stuck take three rows for each task run", async () => {
    const { answer, rows } = await measure(manager.query(stuck));
    const running = "SELECT md5('task run ' || n)::uuid AS id FROM generate_series(0, $1::int - 1, 10) n";
    const expected = await manager.query(running, [RUNS]);
    const found = answer.map((row: { task_run_id: string }) => row.task_run_id);
    expect(found.sort()).toEqual(expected.map(({ id }: { id: string }) => id).sort());
    expect(Object.keys(rows)).toEqual([INDEX]);
    const tied = 60 + STATES; // The latest states of two of them.
    expect(rows[INDEX]).toBeLessThanOrEqual(3 * (RUNS + recorded.length) + tied);
  });

  test("how many are in each type takes no more rows", async () => {
    const { answer, rows } = await measure(manager.query(counts));
    const completed = RUNS - RUNS / 10;
    expect(new Map(answer.map(Object.values))).toEqual(
      new Map([
        ["COMPLETED", String(completed)],
        ["RUNNING", String(RUNS / 10 + recorded.length)],
      ]),
    );
    expect(Object.keys(rows)).toEqual([INDEX]);
    expect(rows[INDEX]).toBeLessThanOrEqual(3 * (RUNS + recorded.length) + 60 + STATES);
  });

  test("the states since a moment take one row for each task run, and themselves", async () => {
    const { answer, rows } = await measure(manager.query(since));
    expect(ids(answer).sort()).toEqual(recorded);
    expect(Object.keys(rows)).toEqual([INDEX]);
    expect(rows[INDEX]).toBeLessThanOrEqual(RUNS + recorded.length + recorded.length);
  });

  test("what was inserted since a moment takes no other row", async () => {
    const { answer, rows } = await measure(insertedSince(manager, start));
    expect(ids(answer)).toEqual(recorded);
    expect(rows).toEqual({ [KEY]: recorded.length });
  });
});
