import { join } from "node:path";
import { CreateTaskRunState1795305600000, migrations, StateType } from "typeorm-task-run-state";

import { drift, readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";
import { documentedTable, LABELS, NOTHING } from "./support/documented-table";
import { sqlStateOf } from "./support/failure-of";

function documented() {
  const { columns, constraints, indexes } = documentedTable();
  return { columns, constraints, indexes };
}

describe("the migration", () => {
  const database = useDatabase();

  test("creates the documented table, on which the entity agrees; reverting leaves nothing; both work twice", async () => {
    const dataSource = await database.connect({ migrationsRun: false });
    for (let round = 0; round < 2; round++) {
      expect((await dataSource.runMigrations()).map(({ name }) => name)).toEqual([
        "CreateTaskRunState1795305600000",
      ]);
      expect(await readCatalog(dataSource)).toEqual(documentedTable());
      expect(await drift(dataSource)).toEqual([]);
      await dataSource.undoLastMigration();
      expect(await readCatalog(dataSource)).toEqual(NOTHING);
    }
  });

  test.each(["DROP TABLE task_run_state", "DROP TABLE task_run_state; DROP TYPE task_run_state_type"])(
    "reverts after %s by hand, and runs again",
    async (drop) => {
      const dataSource = await database.connect();
      await dataSource.query(drop);
      await dataSource.undoLastMigration();
      expect(await readCatalog(dataSource)).toEqual(NOTHING);
      await dataSource.runMigrations();
      expect(await readCatalog(dataSource)).toEqual(documentedTable());
      await dataSource.undoLastMigration();
    },
  );

  describe.each(["all", "each", "none"] as const)("in the transaction mode %s", (transaction) => {
    test.each([
      ["a view", "VIEW dependent AS SELECT id FROM task_run_state", "VIEW dependent"],
      ["a foreign key", "TABLE dependent (id uuid REFERENCES task_run_state)", "TABLE dependent"],
      ["a column of its type", "TABLE dependent (type task_run_state_type)", "TABLE dependent"],
      ["a domain over its type", "DOMAIN dependent AS task_run_state_type", "DOMAIN dependent"],
      [
        "a function of its type",
        "FUNCTION dependent(task_run_state_type) RETURNS int LANGUAGE sql AS 'SELECT 1'",
        "FUNCTION dependent",
      ],
    ])("reverts not at all while %s depends on it", async (_, create, drop) => {
      const dataSource = await database.connect();
      await dataSource.query(`CREATE ${create}`);
      expect(await sqlStateOf(dataSource.undoLastMigration({ transaction }))).toBe("2BP01");
      const { columns, constraints, indexes } = await readCatalog(dataSource);
      expect({ columns, constraints, indexes }).toEqual(documented());
      expect(await dataSource.runMigrations()).toEqual([]);
      await dataSource.query(`DROP ${drop}`);
      await dataSource.undoLastMigration({ transaction });
      expect(await readCatalog(dataSource)).toEqual(NOTHING);
    });

    test("creates nothing when one name is being taken by a transaction that is still open", async () => {
      const patience = { extra: { options: "-c lock_timeout=50" } };
      const dataSource = await database.connect({ migrationsRun: false, ...patience });
      const holder = dataSource.createQueryRunner();
      await holder.startTransaction();
      await holder.query("CREATE TABLE pk_task_run_state ()");
      expect(await sqlStateOf(dataSource.runMigrations({ transaction }))).toBe("55P03");
      await holder.rollbackTransaction();
      await holder.release();
      expect(await readCatalog(dataSource)).toEqual(NOTHING);
    });
  });

  test("reverts in its own schema, and leaves a table of that name in another one of the search path", async () => {
    const dataSource = await database.connect({ migrationsRun: false });
    await dataSource.query("CREATE SCHEMA empty");
    const url = new URL(database.url);
    url.searchParams.set("options", "-c search_path=empty,public");
    const searching = await database.connect({ url: url.href });
    await dataSource.query("CREATE TABLE task_run_state (id int)");
    await searching.query("DROP TABLE empty.task_run_state");
    await searching.undoLastMigration();
    expect((await readCatalog(dataSource)).tables).toEqual(["task_run_state"]);
    expect(await readCatalog(dataSource, { schema: "empty" })).toEqual(NOTHING);
    await dataSource.query("DROP TABLE task_run_state");
  });

  test("runs where a data source names the files of its folder by a glob", async () => {
    const dataSource = await database.connect({
      migrations: [join(__dirname, "../src/migrations/*.ts")],
      migrationsRun: false,
    });
    expect((await dataSource.runMigrations()).map(({ name }) => name)).toEqual(
      migrations.map((Migration) => new Migration().name),
    );
    await dataSource.undoLastMigration();
  });

  test("has a name that does not come from its class, which a minifier may rename", () => {
    const minified = class m extends CreateTaskRunState1795305600000 {};
    expect(new minified().name).toBe("CreateTaskRunState1795305600000");
    expect(migrations).toEqual([CreateTaskRunState1795305600000]);
  });
});

describe("the comparison of entity and table", () => {
  const database = useDatabase();

  test("shows a difference when there is one", async () => {
    const dataSource = await database.connect();
    await dataSource.query('ALTER TABLE "task_run_state" ADD COLUMN "extra" int');
    expect(await drift(dataSource)).toEqual(['ALTER TABLE "task_run_state" DROP COLUMN "extra"']);
  });
});

test("the labels of StateType stand in the order in which PostgreSQL sorts them", () => {
  expect(Object.values(StateType)).toEqual(LABELS);
  expect(Object.keys(StateType)).toEqual(LABELS);
});
