import { randomUUID } from "node:crypto";
import { type MigrationInterface, type QueryRunner, Table } from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { drift, readCatalog } from "./support/catalog";
import { type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { documentedTable, NOTHING } from "./support/documented-table";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";
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
  return (await readCatalog(server, { schema })).tables;
}

/** Records, reads, lists and deletes a state, and compares the table with the entity. */
async function expectToWork(dataSource: TestDataSource): Promise<void> {
  const { manager } = dataSource;
  const { id, taskRunId } = await record(manager);
  expect((await service.readTaskRunState(manager, id))?.id).toBe(id);
  expect(await service.readTaskRunStates(manager, taskRunId)).toHaveLength(1);
  expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  expect(await service.readTaskRunState(manager, id)).toBeNull();
  expect(await drift(dataSource)).toEqual([]);
}

test("with `schema`, the table and its type are in that schema and nowhere else, until the migration is reverted", async () => {
  const dataSource = await connect("app");
  await expectToWork(dataSource);
  expect(await readCatalog(server, { schema: "app" })).toEqual(documentedTable("app"));
  expect(await readCatalog(server)).toEqual(NOTHING);
  await dataSource.undoLastMigration();
  expect(await readCatalog(server, { schema: "app" })).toEqual(NOTHING);
});

test("a naming strategy renames nothing", async () => {
  const dataSource = await connect("snake", { namingStrategy: new SnakeNamingStrategy() });
  await expectToWork(dataSource);
  expect(await readCatalog(server, { schema: "snake" })).toEqual(documentedTable("snake"));
});

test("a naming strategy that changes written names has TypeORM look for another table", async () => {
  class Plural extends SnakeNamingStrategy {
    override tableName(className: string, given?: string): string {
      return `${super.tableName(className, given)}s`;
    }
  }
  const dataSource = await connect("plural", { namingStrategy: new Plural() });
  expect(await tablesIn("plural")).toEqual(["task_run_state"]);
  const error = await failureOf(service.readTaskRunState(dataSource.manager, randomUUID()));
  expect(error).toMatchObject({ driverError: { code: "42P01" } });
  expect(String(error)).toContain('relation "plural.task_run_states" does not exist');
});

test("with `entityPrefix`, the table has the prefix, and is gone when the migration is reverted", async () => {
  const dataSource = await connect("prefixed", { entityPrefix: "app_" });
  await expectToWork(dataSource);
  expect(await tablesIn("prefixed")).toEqual(["app_task_run_state"]);
  await dataSource.undoLastMigration();
  expect(await readCatalog(server, { schema: "prefixed" })).toEqual(NOTHING);
});

test("with `cache: { alwaysEnabled: true }`, no method answers from the cache", async () => {
  const dataSource = await connect("cached", {
    cache: { alwaysEnabled: true, duration: 3_600_000 },
    migrationsRun: false,
  });
  await dataSource.queryResultCache?.synchronize(); // TypeORM itself reads its list of migrations from there
  await dataSource.runMigrations();
  const { manager } = dataSource;
  const { id, taskRunId } = await record(manager, { name: "before" });
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

class CreateTaskRun1900000000000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.createTable(new Table({ name: "task_run", columns: [{ name: "id", type: "uuid" }] }));
  }
  async down(): Promise<void> {}
}

test("with `migrationsRun`, a host whose own later migrations have all run gets the table at its next start", async () => {
  const own = [CreateTaskRun1900000000000];
  const before = await connect("upgraded", { migrations: own, entities: [] });
  expect(await tablesIn("upgraded")).toEqual(["task_run"]);
  await before.destroy();

  const after = await database.connect({ schema: "upgraded", migrations: [...own, ...migrations] });
  await expectToWork(after);
  expect(await tablesIn("upgraded")).toEqual(["task_run", "task_run_state"]);
});
