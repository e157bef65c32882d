import type { EntityManager } from "typeorm";
import { StateType, TaskRunState } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { fillHistories } from "./support/fill";
import { sessionsWaitingFor } from "./support/locked-table";
import { record } from "./support/record";
import { type Run, run } from "./support/run";

const database = useDatabase();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

/** Of 20 task runs 18 have finished, with 2 states each. */
beforeEach(async () => {
  await dataSource.query("TRUNCATE task_run_state");
  await fillHistories(dataSource.manager, { runs: 20, states: 2 });
});

const BEFORE = ["--before", "2026-01-01"];

function prune(options: string[], env: Record<string, string | undefined> = {}, preload: string[] = []): Run {
  const args = ["--import", "tsx", ...preload, "examples/prune.ts", ...options];
  return run(process.execPath, args, { env: { DATABASE_URL: database.url, ...env } });
}

test("deletes, and prints a line for each step", async () => {
  const { code, output } = await run(
    "npm",
    ["run", "--silent", "prune", "-w", "examples", "--", ...BEFORE, "--batch", "15"],
    {
      env: { DATABASE_URL: database.url },
      detached: true,
    },
  ).ended;
  expect(output).toMatch(
    /^15 task runs looked at, \d\d states of \d\d deleted, up to task run [0-9a-f-]{36}\n20 task runs looked at, 36 states of 18 deleted, up to task run [0-9a-f-]{36}\nDone: 20 task runs looked at, 36 states of 18 deleted\.\n$/,
  );
  expect(code).toBe(0);
  expect(await dataSource.manager.count(TaskRunState)).toBe(4);
});

test("with --dry-run counts the same, and deletes nothing", async () => {
  const { code, output } = await prune([...BEFORE, "--dry-run"]).ended;
  expect(output).toMatch(/\nDone: 20 task runs looked at, 36 states of 18 to delete\.\n$/);
  expect(code).toBe(0);
  expect(await dataSource.manager.count(TaskRunState)).toBe(40);
});

test("in a terminal shows a bar that fills up", async () => {
  const terminal = ["--import", "data:text/javascript,process.stdout.isTTY = true"];
  const { code, output } = await prune([...BEFORE, "--batch", "1"], {}, terminal).ended;
  expect(output).toContain("---------------------------------------- 0 %: 0 task runs looked at");
  expect(output).toContain("======================================== 100 %: 20 task runs looked at");
  expect(output).not.toContain("up to task run");
  expect(code).toBe(0);
});

test("of a history that goes in parts prints each, the first ones without a task run to continue from", async () => {
  await dataSource.query("TRUNCATE task_run_state");
  await fillHistories(dataSource.manager, { runs: 1, states: 25, first: 1 });
  const { output } = await prune([...BEFORE, "--batch", "1"]).ended;
  const line = (taskRuns: string, deleted: string) => `${taskRuns} task runs looked at, ${deleted} deleted`;
  const [{ id }] = await dataSource.query("SELECT md5('task run 1')::uuid AS id");
  expect(output).toBe(
    `${line("0", "10 states of 0")}\n${line("0", "20 states of 0")}\n` +
      `${line("1", "25 states of 1")}, up to task run ${id}\nDone: ${line("1", "25 states of 1")}.\n`,
  );
});

test("in a table without states has nothing to do", async () => {
  await dataSource.query("TRUNCATE task_run_state");
  const outcome = { code: 0, output: "Done: 0 task runs looked at, 0 states of 0 deleted.\n" };
  expect(await prune(BEFORE).ended).toEqual(outcome);
});

/** There are so many states now, and with what the output says the same command does the rest. */
async function expectToGoOn(output: string, left: number): Promise<void> {
  expect(await dataSource.manager.count(TaskRunState)).toBe(left);
  const [, after = ""] = /^Stopped\. To continue, add (--after \S+)$/m.exec(output) ?? [];
  expect(await prune([...BEFORE, ...after.split(" ")]).ended).toMatchObject({ code: 0 });
  expect(await dataSource.manager.count(TaskRunState)).toBe(4);
}

/** Works while another transaction holds the second of the task runs that are to be deleted. */
async function whileSecondIsHeld<T>(work: (holder: EntityManager, second: string) => Promise<T>): Promise<T> {
  const sql = "SELECT task_run_id AS id FROM task_run_state WHERE type = 'COMPLETED' ORDER BY 1";
  const [, { id }] = await dataSource.query(sql);
  return dataSource.transaction(async (holder) => {
    await holder.update(TaskRunState, { taskRunId: id }, { message: "held" });
    return work(holder, id);
  });
}

test.each([
  ["SIGINT", 130],
  ["SIGTERM", 143],
] as const)("on %s ends the step that is at work, and says how to continue", async (signal, exitCode) => {
  const { pruning, second } = await whileSecondIsHeld(async (holder, second) => {
    const pruning = prune([...BEFORE, "--batch", "1"]);
    await sessionsWaitingFor(holder);
    pruning.signal(signal);
    await pruning.printed(/Stopping when this step has ended. Once more stops at once.\n$/);
    return { pruning, second };
  });
  const { code, output } = await pruning.ended;
  expect(code).toBe(exitCode);
  expect(output).toMatch(new RegExp(`2 deleted, up to task run ${second}\nStopped.*\n$`));
  await expectToGoOn(output, 36);
});

test("when a step fails says why and how to continue, and exits with 1", async () => {
  const { code, output } = await whileSecondIsHeld(
    () => prune([...BEFORE, "--batch", "1"], { PGOPTIONS: "-c lock_timeout=50" }).ended,
  );
  expect(code).toBe(1);
  expect(output).toContain("\ncanceling statement due to lock timeout\n");
  await expectToGoOn(output, 38);
});

test("takes a day in UTC, an instant, or an age in days or hours", async () => {
  for (const hours of [3, 30]) {
    const timestamp = new Date(Date.now() - hours * 60 * 60 * 1000);
    await record(dataSource.manager, { type: StateType.FAILED, timestamp });
  }
  // The eighteen began at 00:01 of the first day of 2025, at 00:02 and so on, and took two seconds.
  const counts: [string[], number][] = [
    [["--before", "2025-01-01"], 0],
    [["--before", "2025-01-01T00:05:02.001Z"], 5],
    [["--older-than", "2d"], 18],
    [["--older-than", "1d"], 19],
    [["--older-than", "2h"], 20],
  ];
  const outcomes = await Promise.all(counts.map(([when]) => prune([...when, "--dry-run"]).ended));
  expect(outcomes).toEqual(
    counts.map(([, count]) => ({ code: 0, output: expect.stringContaining(` of ${count} to delete.\n`) })),
  );
});

test("refuses any other time in one sentence, and exits with 2", async () => {
  const times = [
    [],
    [...BEFORE, "--older-than", "90d"],
    ["--before", "45"], // JavaScript takes it for a year.
    ["--before", "2020-02-31"],
    ["--before", "2020-01-011"],
    ["--before", "2020-01-01 dec"],
    ["--before", "2206-01-01"],
    ["--older-than", "90"],
    ["--older-than", "0d"],
    ["--older-than", "999999999999d"],
  ];
  const sentence =
    "Say before which past day or instant, such as --before 2026-01-01 or --before 2026-01-01T12:00:00Z, " +
    "or how old, in days or hours, such as --older-than 90d.\n";
  const outcomes = await Promise.all(times.map((options) => prune(options).ended));
  expect(outcomes).toEqual(times.map(() => ({ code: 2, output: sentence })));
  expect(await dataSource.manager.count(TaskRunState)).toBe(40);
}, 60_000);

test("says in one sentence which option is wrong, and exits with 2", async () => {
  const sentences: [string[], string][] = [
    [["--before"], "Option '--before <value>' argument missing"],
    [["--older", "2026-01-01"], "Unknown option '--older'"],
    [[...BEFORE, "--batch", "many"], "batch must be a whole number from 1 on, but received NaN."],
    [
      [...BEFORE, "--after", "42"],
      'after must be a UUID string such as "019abd2c-7e00-7000-8000-000000000000", but received string "42".',
    ],
  ];
  const outcomes = await Promise.all(sentences.map(([options]) => prune(options).ended));
  expect(outcomes).toEqual(sentences.map(([, sentence]) => ({ code: 2, output: `${sentence}\n` })));
  expect(await dataSource.manager.count(TaskRunState)).toBe(40);
});

test("says in one sentence that it has no server, that it reaches none, or that there is no table", async () => {
  const elsewhere = new URL("/postgres", process.env.DATABASE_URL).href;
  const urls = [undefined, "postgres://u:secret@127.0.0.1:1/d", elsewhere];
  expect(await Promise.all(urls.map((DATABASE_URL) => prune(BEFORE, { DATABASE_URL }).ended))).toEqual([
    {
      code: 2,
      output: "Set DATABASE_URL to your server, such as postgres://user:password@localhost/database.\n",
    },
    {
      code: 1,
      output: "Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:1): check DATABASE_URL.\n",
    },
    { code: 1, output: 'relation "task_run_state" does not exist\n' },
  ]);
});
