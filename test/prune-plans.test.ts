import { type PruneStep, pruneTaskRunStates } from "typeorm-task-run-state";
import { collect } from "./support/collect";
import { type TestDataSource, useDatabase } from "./support/database";
import { fillHistories } from "./support/fill";
import { explain } from "./support/plan";

const BATCH = 1000;
/** Between the latest states of the table: about half of a step's task runs go. */
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
      await expectToReadLittle(start, [BEFORE, BATCH], first);
      await expectToReadLittle(next, [BEFORE, BATCH, first.after], second);
    },
  );
});

/** The statements of two steps that have nothing to delete. */
async function statements(dryRun: boolean): Promise<string[]> {
  dataSource.statements.length = 0;
  await collect(pruneTaskRunStates(dataSource.manager, { before: new Date(0), batch: 1, dryRun }), 2);
  return dataSource.statements;
}

async function expectToReadLittle(sql: string, parameters: unknown[], step: PruneStep): Promise<void> {
  const { rows, pages } = await explain(dataSource, sql, parameters);
  expect(Object.keys(rows)).toEqual(["ix_task_run_state__task_run_id_timestamp"]);
  // Each task run takes a row to find it, one for the time of its latest state, and, when that is old, one for its type.
  expect(rows.ix_task_run_state__task_run_id_timestamp).toBeLessThanOrEqual(
    3 * step.taskRunsSeen + step.states,
  );
  expect(step.states).toBeGreaterThan(4 * BATCH);
  expect(pages).toBeLessThan(12 * step.taskRunsSeen + 4 * step.states);
}
