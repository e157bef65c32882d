import { CreateTaskRunState1795305600000, migrations, StateType } from "typeorm-task-run-state";

import { drift, readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";
import { documentedTable, LABELS, NOTHING } from "./support/documented-table";

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

  test("reverts where somebody dropped the table by hand", async () => {
    const dataSource = await database.connect();
    await dataSource.query("DROP TABLE task_run_state; DROP TYPE task_run_state_type");
    await dataSource.undoLastMigration();
    expect(await readCatalog(dataSource)).toEqual(NOTHING);
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
