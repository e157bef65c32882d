import { randomUUID } from "node:crypto";
import type { EntityManager, QueryRunner } from "typeorm";
import {
  migrations,
  pruneTaskRunStates,
  StateType,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { addWeeks, dropWeeks, PartitionByWeek1795500000000 } from "../examples/engines/partition-by-week";
import { drift, readCatalog } from "./support/catalog";
import { collect } from "./support/collect";
import { type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { explain } from "./support/plan";
import { record } from "./support/record";

const service = new TaskRunStateService();
const partitioned = { migrations: [...migrations, PartitionByWeek1795500000000] };

const DAY = 24 * 60 * 60 * 1000;
const inDays = (days: number) => new Date(Date.now() + days * DAY);

/** An id as this module makes them, at that time. */
function idAt(time: Date): string {
  const digits = time.getTime().toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}-7${randomUUID().slice(15)}`;
}

/** How many states each partition has, without those that have none. */
async function statesByPartition(dataSource: TestDataSource): Promise<Record<string, number>> {
  const rows = await dataSource.query(
    "SELECT tableoid::regclass::text AS name, count(*)::int AS states FROM task_run_state GROUP BY 1",
  );
  return Object.fromEntries(rows.map(Object.values));
}

describe("a table that was in use before", () => {
  const database = useDatabase();

  test("keeps its states, has its key on the id alone and no drift, and becomes as it was", async () => {
    const plain = await database.connect();
    const states = [await record(plain.manager), await record(plain.manager)];
    const before = await readCatalog(plain);

    const dataSource = await database.connect(partitioned);
    expect(await drift(dataSource)).toEqual([]);
    expect((await readCatalog(dataSource)).constraints).toEqual(before.constraints);
    states.push(await record(dataSource.manager));
    for (const { id } of states)
      expect(await service.readTaskRunState(dataSource.manager, id)).toMatchObject({ id });

    await dataSource.undoLastMigration();
    expect(await readCatalog(dataSource)).toEqual(before);
    expect(await drift(dataSource)).toEqual([]);
    for (const { id } of states)
      expect(await service.readTaskRunState(dataSource.manager, id)).toMatchObject({ id });
  });
});

describe("a table that has more than the package made", () => {
  const database = useDatabase();

  /** Who may do what with the table, its checks and its columns' comments. */
  async function details({ query }: Pick<TestDataSource, "query">): Promise<unknown> {
    return query(`
      SELECT relowner::regrole::text, (SELECT array_agg(acl::text ORDER BY acl::text) FROM unnest(relacl) acl) AS acl,
        ARRAY(SELECT pg_get_constraintdef(oid) FROM pg_constraint WHERE conrelid = state.oid AND contype = 'c') AS checks,
        ARRAY(SELECT description FROM pg_description WHERE objoid = state.oid AND objsubid > 0) AS comments
      FROM pg_class state WHERE oid = 'task_run_state'::regclass`);
  }

  test("keeps owner, grants, checks and comments, there and back", async () => {
    const dataSource = await database.connect();
    await dataSource.query(`
      GRANT SELECT, INSERT ON task_run_state TO pg_monitor WITH GRANT OPTION;
      GRANT SELECT ON task_run_state TO PUBLIC;
      ALTER TABLE task_run_state ADD CHECK (name <> ''), OWNER TO pg_database_owner;
      COMMENT ON COLUMN task_run_state.data IS 'the result'`);
    const query = dataSource.query.bind(dataSource);
    const before = await details({ query });
    expect(JSON.stringify(before)).toMatch(/pg_monitor=a\*r\*.*the result/);

    const later = await database.connect(partitioned);
    expect(await details({ query })).toEqual(before);
    await later.undoLastMigration();
    expect(await details({ query })).toEqual(before);
  });

  test.each([
    ["CREATE POLICY mine ON task_run_state USING (true)", "policy mine on table task_run_state"],
    ["ALTER TABLE task_run_state ENABLE ROW LEVEL SECURITY", "row level security"],
    [
      "CREATE TRIGGER mine BEFORE UPDATE ON task_run_state FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
      "trigger mine on table task_run_state",
    ],
    ["CREATE INDEX ix_mine ON task_run_state (name)", "index ix_mine"],
    ["CREATE VIEW mine AS SELECT id FROM task_run_state", "rule _RETURN on view mine"],
    [
      "CREATE FUNCTION latest() RETURNS task_run_state LANGUAGE sql BEGIN ATOMIC SELECT * FROM task_run_state; END",
      "function latest()",
    ],
    ["CREATE TABLE mine (id uuid REFERENCES task_run_state)", "constraint mine_id_fkey on table mine"],
    [
      "CREATE TABLE run (id uuid PRIMARY KEY); ALTER TABLE task_run_state ADD FOREIGN KEY (task_run_id) REFERENCES run",
      "constraint task_run_state_task_run_id_fkey on table task_run_state",
    ],
    [
      "CREATE PUBLICATION mine FOR TABLE task_run_state",
      "publication of table task_run_state in publication mine",
    ],
    ["COMMENT ON TABLE task_run_state IS 'mine'", "comment on the table"],
    ["GRANT SELECT (name) ON task_run_state TO pg_monitor", "grants on column name"],
    ["ALTER TABLE task_run_state SET (fillfactor = 90)", "storage parameters"],
    ["ALTER TABLE task_run_state REPLICA IDENTITY FULL", "replica identity"],
    ["CREATE STATISTICS mine ON type, name FROM task_run_state", "statistics object mine"],
  ])("refuses what it would lose, there and back: %s", async (sql, named) => {
    const expected = `Drop these before this migration, and create them again behind it: ${named}.`;
    const dataSource = await database.connect(partitioned);
    const refusal = async (work: (runner: QueryRunner) => Promise<void>) => {
      const runner = dataSource.createQueryRunner();
      await runner.startTransaction();
      await runner.query(sql);
      const error = await failureOf(work(runner));
      await runner.rollbackTransaction();
      await runner.release();
      return error;
    };
    const migration = new PartitionByWeek1795500000000();
    // A table with partitions takes no storage parameters.
    if (!sql.includes("fillfactor")) {
      expect(await refusal((runner) => migration.down(runner))).toEqual(new Error(expected));
    }
    await dataSource.undoLastMigration();
    expect(await refusal((runner) => migration.up(runner))).toEqual(new Error(expected));
  });
});

describe("a table with ids that were not made here", () => {
  const database = useDatabase();

  test("refuses the migration, and stays as it is", async () => {
    const plain = await database.connect();
    const state = await record(plain.manager, { id: "f47ac10b-58cc-4372-a567-0e02b2c3d479" });
    const before = await readCatalog(plain);
    const dataSource = await database.connect({ ...partitioned, migrationsRun: false });
    expect(await failureOf(dataSource.runMigrations())).toMatchObject({ code: "23514" });
    expect(await readCatalog(dataSource)).toEqual(before);
    expect(await service.readTaskRunStates(dataSource.manager, state.taskRunId)).toHaveLength(1);
  });
});

describe("a partitioned table", () => {
  const database = useDatabase();
  let dataSource: TestDataSource;
  beforeAll(async () => {
    dataSource = await database.connect(partitioned);
  });
  beforeEach(() => dataSource.query("DELETE FROM task_run_state"));

  test("reads, lists and deletes across weeks, in and out of transactions", async () => {
    const taskRunId = randomUUID();
    const ids = [0, 7, 14, 21].map((days) => idAt(inDays(days)));
    for (const id of ids) await record(dataSource.manager, { id, taskRunId });
    expect(Object.values(await statesByPartition(dataSource))).toEqual([1, 1, 1, 1]);

    const useOne = async (manager: EntityManager) => {
      expect((await service.readTaskRunStates(manager, taskRunId)).map(({ id }) => id)).toEqual(ids);
      const id = String(ids.shift());
      expect(await service.readTaskRunState(manager, id)).toMatchObject({ id });
      expect(await service.deleteTaskRunState(manager, id)).toBe(true);
      expect(await service.readTaskRunState(manager, id)).toBeNull();
    };
    await useOne(dataSource.manager);
    await dataSource.transaction(useOne);
  });

  test("a read by id looks into one partition, a list into each", async () => {
    const scanned = async (column: string) => {
      const { rows } = await explain(dataSource, `SELECT * FROM task_run_state WHERE ${column} = $1`, [
        randomUUID(),
      ]);
      return Object.keys(rows);
    };
    expect(await scanned("id")).toHaveLength(1);
    expect(await scanned("task_run_id")).toHaveLength(6);
  });

  test("a week goes in one piece, and of a history that straddles its end only the part that it held", async () => {
    const taskRunId = randomUUID();
    const [first, second] = [idAt(inDays(10)), idAt(inDays(17))];
    for (const id of [first, second]) await record(dataSource.manager, { id, taskRunId });

    await dropWeeks(dataSource.manager, inDays(9));
    expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toHaveLength(2);
    await dropWeeks(dataSource.manager, inDays(17));
    expect((await service.readTaskRunStates(dataSource.manager, taskRunId)).map(({ id }) => id)).toEqual([
      second,
    ]);
  });

  test("ids that were not made here go elsewhere, and one within a week to come keeps it from being made", async () => {
    const { id } = await record(dataSource.manager, { id: "f47ac10b-58cc-4372-a567-0e02b2c3d479" });
    expect(await statesByPartition(dataSource)).toEqual({ task_run_state_other: 1 });
    await addWeeks(dataSource.manager, 6);

    await record(dataSource.manager, { id: idAt(inDays(50)).replace(/-7/, "-4") });
    expect(await failureOf(addWeeks(dataSource.manager, 9))).toMatchObject({ code: "23514" });
    expect(await service.deleteTaskRunState(dataSource.manager, id)).toBe(true);
  });

  test("retention works across weeks", async () => {
    const taskRunId = randomUUID();
    for (const [days, type] of [
      [0, StateType.RUNNING],
      [7, StateType.COMPLETED],
    ] as const) {
      await record(dataSource.manager, { id: idAt(inDays(days)), taskRunId, type });
    }
    await record(dataSource.manager);
    const [step] = await collect(pruneTaskRunStates(dataSource.manager, { before: inDays(1) }));
    expect(step).toMatchObject({ taskRunsSeen: 2, taskRuns: 1, states: 2 });
    expect(await dataSource.manager.count(TaskRunState)).toBe(1);
  });
});
