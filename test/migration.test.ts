import { CreateTaskRunState1795305600000, migrations, StateType } from "typeorm-task-run-state";

import { drift, readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";
import { SnakeNamingStrategy } from "./support/snake-naming-strategy";

const labels = [
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
];

function documentedTable(schema: string, typeName: string) {
  const column = (name: string, type: string, nullable = false, byDefault: string | null = null) => ({
    name,
    type,
    nullable,
    default: byDefault,
  });
  return {
    columns: [
      column("id", "uuid", false, "uuid_in(uuid_out(gen_random_uuid()))"),
      column("created", "timestamp with time zone", false, "now()"),
      column("updated", "timestamp with time zone", false, "now()"),
      column("type", typeName),
      column("timestamp", "timestamp with time zone", false, "clock_timestamp()"),
      column("name", "character varying"),
      column("message", "character varying", true),
      column("state_details", "jsonb", false, "'{}'::jsonb"),
      column("data", "jsonb", true),
      column("task_run_id", "uuid"),
      column("result_artifact_id", "uuid", true),
    ],
    constraints: { pk_task_run_state: "PRIMARY KEY (id)" },
    indexes: {
      pk_task_run_state: `CREATE UNIQUE INDEX pk_task_run_state ON ${schema}.task_run_state USING btree (id)`,
      ix_task_run_state__task_run_id_timestamp: `CREATE INDEX ix_task_run_state__task_run_id_timestamp ON ${schema}.task_run_state USING btree (task_run_id, "timestamp")`,
    },
    enums: { task_run_state_type: labels },
    tables: ["task_run_state"],
  };
}

const nothing = { columns: [], constraints: {}, indexes: {}, enums: {}, tables: [] };

describe("the migration", () => {
  const database = useDatabase();

  test("creates exactly the documented table; down leaves nothing of it; up, down, up works", async () => {
    const dataSource = await database.connect({ migrationsRun: false });
    for (let round = 0; round < 2; round++) {
      expect((await dataSource.runMigrations()).map(({ name }) => name)).toEqual([
        "CreateTaskRunState1795305600000",
      ]);
      expect(await readCatalog(dataSource)).toEqual(documentedTable("public", "task_run_state_type"));
      expect(await drift(dataSource)).toEqual([]);
      await dataSource.undoLastMigration();
      expect(await readCatalog(dataSource)).toEqual(nothing);
    }
  });

  test("has nothing to do a second time", async () => {
    const dataSource = await database.connect();
    expect(await dataSource.runMigrations()).toEqual([]);
    await dataSource.undoLastMigration();
  });

  test("goes down where the table was dropped by hand", async () => {
    const dataSource = await database.connect();
    await dataSource.query("DROP TABLE task_run_state; DROP TYPE task_run_state_type");
    await dataSource.undoLastMigration();
    expect(await readCatalog(dataSource)).toEqual(nothing);
  });
});

describe("entity and migration agree", () => {
  const database = useDatabase();

  test("under a naming strategy of the host", async () => {
    const dataSource = await database.connect({ namingStrategy: new SnakeNamingStrategy() });
    expect(await drift(dataSource)).toEqual([]);
    expect(await readCatalog(dataSource)).toEqual(documentedTable("public", "task_run_state_type"));
  });

  test("in the data source's schema, where down leaves nothing either", async () => {
    const setUp = await database.connect({ migrationsRun: false });
    await setUp.query("CREATE SCHEMA app");
    const dataSource = await database.connect({ schema: "app" });
    expect(await drift(dataSource)).toEqual([]);
    expect(await readCatalog(dataSource, { schema: "app" })).toEqual(
      documentedTable("app", "app.task_run_state_type"),
    );
    await dataSource.undoLastMigration();
    expect(await readCatalog(dataSource, { schema: "app" })).toEqual(nothing);
  });

  test("a difference would be seen", async () => {
    const dataSource = await database.connect();
    await dataSource.query('ALTER TABLE "task_run_state" ADD COLUMN "extra" int');
    expect(await drift(dataSource)).toEqual(['ALTER TABLE "task_run_state" DROP COLUMN "extra"']);
  });
});

test("the migration's name does not come from its class, which a minifier may rename", () => {
  const minified = class m extends CreateTaskRunState1795305600000 {};
  expect(new minified().name).toBe("CreateTaskRunState1795305600000");
  expect(migrations).toEqual([CreateTaskRunState1795305600000]);
});

test("the labels of StateType stand in the order in which PostgreSQL sorts them", () => {
  expect(Object.values(StateType)).toEqual(labels);
  expect(Object.keys(StateType)).toEqual(labels);
});
