import { type PruneStep, pruneTaskRunStates, TaskRunState } from "typeorm-task-run-state";
import { collect } from "./support/collect";
import { type TestDataSource, useDatabase } from "./support/database";
import { fillHistories } from "./support/fill";
import { explain } from "./support/plan";

const BATCH = 1000;
const INDEX = "ix_task_run_state__task_run_id_timestamp";
/** Between the latest states of the table: about half of the task runs go. */
const BEFORE = new Date("2025-01-08T00:00:00Z");

const database = useDatabase();
let dataSource: TestDataSource;
/** What the first two steps find. */
let found: PruneStep[];

beforeAll(async () => {
  dataSource = await database.connect();
  await dataSource.query("ALTER TABLE task_run_state SET (autovacuum_enabled = off)");
  await fillHistories(dataSource.manager, { runs: 20_000, states: 10 });
  const dryRun = pruneTaskRunStates(dataSource.manager, { before: BEFORE, batch: BATCH, dryRun: true });
  found = await collect(dryRun, 2);
}, 60_000);

describe.each([
  ["was never analysed", "SELECT 1"],
  ["is analysed", "VACUUM (ANALYZE) task_run_state"],
])("on a table of 200,000 states that %s", (_, statistics) => {
  beforeAll(() => dataSource.query(statistics));

  test.each([true, false])(
    "a step reads by the index on task run and time what it looks at and deletes, and no more (dry run: %s)",
    async (dryRun) => {
      const [first, second] = found as [PruneStep, PruneStep];
      const [start = "", next = ""] = await statements(dryRun);
      await expectToReadLittle(start, [BEFORE, BATCH, 10 * BATCH], first);
      await expectToReadLittle(next, [BEFORE, BATCH, 10 * BATCH, first.after], second);
    },
  );
});

test("of a history of 50,000 states, each part reads about three times what it deletes", async () => {
  await dataSource.query("TRUNCATE task_run_state");
  await fillHistories(dataSource.manager, { runs: 10_000, states: 10, first: 1 });
  await fillHistories(dataSource.manager, { runs: 1, states: 50_000, first: -1 });
  await dataSource.query("VACUUM (ANALYZE) task_run_state");
  const [{ giant, after }] = await dataSource.query(
    `SELECT giant, task_run_id AS after FROM task_run_state, (VALUES (md5('task run -1')::uuid)) long (giant)
     WHERE task_run_id < giant ORDER BY 2 DESC LIMIT 1`,
  );
  const [, sql = ""] = await statements(false);
  const part = 1000;
  for (let parts = 0; parts < 3; parts++) {
    const { rows, pages } = await explain(dataSource, sql, [BEFORE, part / 10, part, after]);
    expect(Object.keys(rows)).toEqual([INDEX]);
    expect(rows[INDEX]).toBeGreaterThan(3 * part);
    expect(rows[INDEX]).toBeLessThan(3.2 * part);
    expect(pages).toBeLessThan(8 * part);
    const options = { before: BEFORE, after, batch: part / 10 };
    await collect(pruneTaskRunStates(dataSource.manager, options), 1);
  }
  expect(await dataSource.manager.countBy(TaskRunState, { taskRunId: giant })).toBe(50_000 - 3 * part);
});

/** The statements of two steps that have nothing to delete. */
async function statements(dryRun: boolean): Promise<string[]> {
  dataSource.statements.length = 0;
  await collect(pruneTaskRunStates(dataSource.manager, { before: new Date(0), batch: 1, dryRun }), 2);
  return dataSource.statements;
}

async function expectToReadLittle(sql: string, parameters: unknown[], step: PruneStep): Promise<void> {
  const { rows, pages } = await explain(dataSource, sql, parameters);
  const [{ old }] = await dataSource.query(
    `SELECT count(DISTINCT task_run_id)::int AS old FROM task_run_state
     WHERE timestamp < $1 AND task_run_id > $2 AND task_run_id <= $3`,
    [BEFORE, parameters[3] ?? "00000000-0000-0000-0000-000000000000", step.after],
  );
  // Of each task run its first state; of an old one also its latest, first the time and then the type. What goes is counted.
  const needed = step.taskRunsSeen + 2 * old + 2 * step.states;
  expect(rows).toEqual({ [INDEX]: needed });
  expect(step.states).toBeGreaterThan(4 * BATCH);
  expect(pages).toBeLessThan(12 * step.taskRunsSeen + 4 * step.states);
}
