import { randomUUID } from "node:crypto";
import {
  Entity,
  ManyToOne,
  type MigrationInterface,
  PrimaryColumn,
  type QueryRunner,
  Table,
  TypeORMError,
} from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { PREFECT_TABLE } from "../scripts/prefect/table";
import { drift, readCatalog } from "./support/catalog";
import { type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";

type Options = NonNullable<Parameters<TestDatabase["connect"]>[0]>;

const database = useDatabase();
const service = new TaskRunStateService();
let server: TestDataSource;

beforeAll(async () => {
  server = await database.connect({ migrationsRun: false });
});

/** What is in the schema, but for TypeORM's own table: each with the transaction that last changed its entry. */
function contentsOf(schema: string): Promise<unknown[]> {
  return server.query(
    `SELECT 'relation' AS kind, oid, relname AS name, xmin::text FROM pg_class
      WHERE relnamespace = $1::regnamespace AND relname NOT SIMILAR TO '(migrations|PK_)%'
      UNION ALL
     SELECT 'type', oid, typname, xmin::text FROM pg_type
      WHERE typnamespace = $1::regnamespace AND typname NOT LIKE '%migrations%'
      ORDER BY oid`,
    [`"${schema}"`],
  );
}

/** Runs this package's migration in the schema, and checks that it leaves everything there as it is. */
async function expectRefusal(schema: string, existing: string, options: Options = {}): Promise<void> {
  const dataSource = await database.connect({ schema, migrationsRun: false, ...options });
  const before = await contentsOf(schema);
  const error = await failureOf(dataSource.runMigrations());
  expect(error).toBeInstanceOf(TypeORMError);
  expect((error as Error).message).toMatch(
    new RegExp(
      `^The ${existing} exists already, so CreateTaskRunState1795305600000 created nothing\\. What to do`,
    ),
  );
  for (const advice of ["typeorm migration:run --fake", "Prefect", "start again", "another schema"]) {
    expect((error as Error).message).toContain(advice);
  }
  expect(await contentsOf(schema)).toEqual(before);
  expect(await dataSource.query(`SELECT FROM "${schema}".migrations`)).toEqual([]);
}

const places: [string, string, string, Options][] = [
  ["in a schema", "app", "app.task_run_state", {}],
  ["in a schema whose name needs quotes", "Task States", '"Task States".task_run_state', {}],
  ["with a prefix", "prefixed", "prefixed.app_task_run_state", { entityPrefix: "app_" }],
];

describe.each(places)("where `synchronize` made the table, %s,", (_, schema, identity, options) => {
  beforeAll(async () => {
    await server.query(`CREATE SCHEMA "${schema}"`);
    await database.connect({ schema, migrationsRun: false, synchronize: true, ...options });
  });

  test.each(["all", "each", "none"] as const)(
    "the migration creates nothing and says what to do, in the transaction mode %s",
    async (migrationsTransactionMode) => {
      await expectRefusal(schema, `table ${identity}`, { migrationsTransactionMode, ...options });
    },
  );

  test("recorded as run, the migration is done, agrees with the table, and reverts", async () => {
    const dataSource = await database.connect({ schema, migrationsRun: false, ...options });
    await dataSource.runMigrations({ fake: true });
    expect(await dataSource.runMigrations()).toEqual([]);
    expect(await drift(dataSource)).toEqual([]);
    const { id } = await record(dataSource.manager);
    expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
    await dataSource.undoLastMigration();
    expect(await contentsOf(schema)).toEqual([]);
  });
});

describe("in a schema of its own for each", () => {
  let schema: string;

  beforeEach(async () => {
    schema = `s${randomUUID().replaceAll("-", "")}`;
    await server.query(`CREATE SCHEMA ${schema}`);
  });

  test.each([
    ["view", "VIEW task_run_state AS SELECT 1 AS id"],
    ["materialized view", "MATERIALIZED VIEW task_run_state AS SELECT 1 AS id"],
    ["table", "TABLE task_run_state (id int) PARTITION BY LIST (id)"],
    ["sequence", "SEQUENCE task_run_state"],
    ["type", "TYPE task_run_state AS ENUM ('A')"],
    ["composite type", "TYPE task_run_state AS (id int)"],
    ["type", "DOMAIN task_run_state AS int"],
    [
      "foreign table",
      "FOREIGN DATA WRAPPER nothing; CREATE SERVER nowhere FOREIGN DATA WRAPPER nothing; CREATE FOREIGN TABLE task_run_state (id int) SERVER nowhere",
    ],
  ])("where there is a %s of that name, as by CREATE %s, the migration says so", async (kind, definition) => {
    await server.query(`SET search_path = ${schema}; CREATE ${definition}; RESET search_path`);
    await expectRefusal(schema, `${kind} ${schema}.task_run_state`, { migrationsTransactionMode: "none" });
  });

  test("where Prefect made the table, the migration leaves it alone, and another schema gets its own", async () => {
    await server.query(`SET search_path = ${schema}; ${PREFECT_TABLE}; RESET search_path`);
    await expectRefusal(schema, `table ${schema}.task_run_state`);
    await server.query(`CREATE SCHEMA ${schema}_other`);
    const other = await database.connect({ schema: `${schema}_other` });
    expect(await drift(other)).toEqual([]);
  });

  test.each(["pk_task_run_state", "ix_task_run_state__task_run_id_timestamp", "task_run_state_type"])(
    "where there is a table named %s, the migration says so",
    async (name) => {
      await server.query(`CREATE TABLE ${schema}.${name} ()`);
      const kind = name === "task_run_state_type" ? "type" : "table";
      await expectRefusal(schema, `${kind} ${schema}.${name}`, { migrationsTransactionMode: "none" });
    },
  );

  test("where only the type of a dropped table is left, the migration says how to drop it, and then works", async () => {
    const dataSource = await database.connect({ schema });
    await server.query(`DROP TABLE ${schema}.task_run_state; DELETE FROM ${schema}.migrations`);
    const error = await failureOf(dataSource.runMigrations());
    const [, dropType = ""] = /: (DROP TYPE \S+),/.exec((error as Error).message) ?? [];
    await server.query(dropType);
    await dataSource.runMigrations();
    expect(await drift(dataSource)).toEqual([]);
  });

  test("names that PostgreSQL gives up or does not compare are no reason to refuse", async () => {
    // The array type of the host's table has the name of this one's, with its prefix: PostgreSQL renames it.
    await server.query(`CREATE TABLE ${schema}.task_run_state (id int)`);
    await server.query(`CREATE SEQUENCE ${schema}.task_run_state_type`);
    await server.query(`CREATE TYPE ${schema}.__task_run_state AS ENUM ()`);
    const dataSource = await database.connect({ schema, entityPrefix: "_" });
    const { id } = await record(dataSource.manager);
    expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
  });

  test("a table of that name in another schema of the search path is no reason to refuse", async () => {
    await server.query(`CREATE TABLE task_run_state (id int)`);
    const dataSource = await database.connect({ schema });
    expect(await drift(dataSource)).toEqual([]);
    await server.query("DROP TABLE task_run_state");
  });

  test("where a migration of the host made the table, recording it as run records each that is pending", async () => {
    const synchronizer = await database.connect({ schema, migrationsRun: false });
    const { upQueries } = await synchronizer.driver.createSchemaBuilder().log();
    class Generated1000000000000 implements MigrationInterface {
      async up(queryRunner: QueryRunner): Promise<void> {
        for (const { query, parameters } of upQueries) await queryRunner.query(query, parameters);
      }
      async down(): Promise<void> {}
    }
    class Pending2000000000000 implements MigrationInterface {
      async up(queryRunner: QueryRunner): Promise<void> {
        await queryRunner.createTable(new Table({ name: "later", columns: [{ name: "id", type: "int" }] }));
      }
      async down(): Promise<void> {}
    }
    await database.connect({ schema, migrations: [Generated1000000000000] });
    const own = [Generated1000000000000, ...migrations, Pending2000000000000];
    const dataSource = await database.connect({ schema, migrations: own, migrationsRun: false });
    await expect(dataSource.runMigrations()).rejects.toThrow(/^The table .* exists already/);

    await dataSource.runMigrations({ fake: true });
    const recorded = await dataSource.query(`SELECT name FROM ${schema}.migrations ORDER BY id`);
    expect(recorded.map(({ name }: { name: string }) => name)).toEqual([
      "Generated1000000000000",
      "CreateTaskRunState1795305600000",
      "Pending2000000000000",
    ]);
    expect(await drift(dataSource)).toEqual([]);
    const { tables } = await readCatalog(dataSource, { schema });
    expect(tables).toEqual(["task_run_state"]);
  });
});

describe("`synchronize`", () => {
  const [migrated, synchronized] = [useDatabase(), useDatabase()];

  test("makes the table that the migration makes, and finds nothing to do afterwards", async () => {
    const dataSource = await synchronized.connect({ migrationsRun: false, synchronize: true });
    expect(await readCatalog(dataSource)).toEqual(await readCatalog(await migrated.connect()));
    expect(await drift(dataSource)).toEqual([]);
    expect(dataSource.getMetadata(TaskRunState).tableName).toBe("task_run_state");
  });

  test("finds nothing to do either where an entity of the host's refers to the id", async () => {
    @Entity()
    class Note {
      @PrimaryColumn({ type: "int" })
      id!: number;

      @ManyToOne(() => TaskRunState)
      state!: TaskRunState;
    }
    const host = await migrated.connect({ entities: [TaskRunState, Note] });
    expect((await drift(host)).join()).toContain("FOREIGN KEY");
    await host.synchronize();
    expect(await drift(host)).toEqual([]);
  });
});
