import { randomUUID } from "node:crypto";
import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { migrations, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { SnakeNamingStrategy } from "./support/snake-naming-strategy";

const database = useDatabase();
const service = new TaskRunStateService();
let server: TestDataSource;

beforeAll(async () => {
  server = await database.connect({ migrationsRun: false });
});

/** A host with these options and a schema of its own. */
async function connect(schema: string, options: Parameters<TestDatabase["connect"]>[0] = {}) {
  await server.query(`CREATE SCHEMA "${schema}"`);
  return database.connect({ schema, ...options });
}

async function tablesIn(schema: string): Promise<string[]> {
  const sql =
    "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = $1::regnamespace ORDER BY 1";
  return (await server.query(sql, [schema])).map(({ relname }: { relname: string }) => relname);
}

/** Writes, reads, lists and deletes a state, and checks that the table is the one that the entity describes. */
async function expectToWork(dataSource: TestDataSource): Promise<void> {
  const { manager } = dataSource;
  const saved = await manager.save(
    manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.SCHEDULED }),
  );
  expect(await service.readTaskRunState(manager, saved.id)).toMatchObject({ type: "SCHEDULED" });
  expect(await service.readTaskRunStates(manager, saved.taskRunId)).toHaveLength(1);
  expect(await service.deleteTaskRunState(manager, saved.id)).toBe(true);
  expect(await service.readTaskRunState(manager, saved.id)).toBeNull();
  expect((await dataSource.driver.createSchemaBuilder().log()).upQueries).toEqual([]);
}

test("with `schema`, the table and its type are created, used and dropped there and nowhere else", async () => {
  const dataSource = await connect("app");
  await expectToWork(dataSource);
  expect(await tablesIn("app")).toEqual(["migrations", "task_run_state"]);
  expect(await tablesIn("public")).toEqual([]);
  await dataSource.undoLastMigration();
  expect(await tablesIn("app")).toEqual(["migrations"]);
  expect(await server.query("SELECT FROM pg_type WHERE typname = 'task_run_state_type'")).toEqual([]);
});

test("a naming strategy of the host's renames nothing", async () => {
  const dataSource = await connect("snake", { namingStrategy: new SnakeNamingStrategy() });
  await expectToWork(dataSource);
  expect(await tablesIn("snake")).toContain("task_run_state");
});

test("with `entityPrefix`, the table has the prefix, and goes when the migration is reverted", async () => {
  const dataSource = await connect("prefixed", { entityPrefix: "app_" });
  await expectToWork(dataSource);
  expect(await tablesIn("prefixed")).toEqual(["app_task_run_state", "migrations"]);
  await dataSource.undoLastMigration();
  expect(await tablesIn("prefixed")).toEqual(["migrations"]);
});

test("with `cache: { alwaysEnabled: true }`, no method answers from the cache", async () => {
  const dataSource = await connect("cached", {
    cache: { alwaysEnabled: true, duration: 3_600_000 },
    migrationsRun: false,
  });
  await dataSource.queryResultCache?.synchronize(); // TypeORM itself reads its list of migrations from there
  await dataSource.runMigrations();
  const { manager } = dataSource;
  const { id, taskRunId } = await manager.save(
    manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING, name: "before" }),
  );
  const names = async () => ({
    read: (await service.readTaskRunState(manager, id))?.name,
    listed: (await service.readTaskRunStates(manager, taskRunId)).map(({ name }) => name),
    cached: (await manager.findOneBy(TaskRunState, { id }))?.name,
  });
  expect(await names()).toEqual({ read: "before", listed: ["before"], cached: "before" });
  await server.query("UPDATE cached.task_run_state SET name = 'after'");
  expect(await names()).toEqual({ read: "after", listed: ["after"], cached: "before" });
  expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  expect(await names()).toEqual({ read: undefined, listed: [], cached: "before" });
});

class CreateOlder1000000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(new Table({ name: "older", columns: [{ name: "id", type: "int" }] }));
  }
  async down(): Promise<void> {}
}

class CreateNewer2000000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(new Table({ name: "newer", columns: [{ name: "id", type: "int" }] }));
  }
  async down(): Promise<void> {}
}

async function executedIn(schema: string): Promise<string[]> {
  const rows = await server.query(`SELECT name FROM ${schema}.migrations ORDER BY id`);
  return rows.map(({ name }: { name: string }) => name);
}

test("with `migrationsRun`, the migration takes its place between older and newer ones of the host's", async () => {
  const dataSource = await connect("fresh", {
    migrations: [CreateNewer2000000000000, ...migrations, CreateOlder1000000000000],
  });
  await expectToWork(dataSource);
  expect(await executedIn("fresh")).toEqual([
    "CreateOlder1000000000000",
    "CreateTaskRunState1795305600000",
    "CreateNewer2000000000000",
  ]);
  expect(await tablesIn("fresh")).toEqual(["migrations", "newer", "older", "task_run_state"]);
});

test("with `migrationsRun`, a host whose own migrations have all run gets the table at its next start", async () => {
  const own = [CreateOlder1000000000000, CreateNewer2000000000000];
  const before = await connect("upgraded", { migrations: own, entities: [] });
  expect(await tablesIn("upgraded")).toEqual(["migrations", "newer", "older"]);
  await before.destroy();

  const after = await database.connect({ schema: "upgraded", migrations: [...own, ...migrations] });
  await expectToWork(after);
  expect(await executedIn("upgraded")).toEqual([
    "CreateOlder1000000000000",
    "CreateNewer2000000000000",
    "CreateTaskRunState1795305600000",
  ]);
});
