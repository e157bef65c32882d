import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DataSource } from "typeorm";
import {
  migrations,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";
import { migrate } from "../examples/host/migrate";
import type { PostgresServer } from "../scripts/postgres";
import { clientOptions, runOnServer } from "./support/database";
import { startPostgresProcess } from "./support/postgres-process";

const service = new TaskRunStateService();
const dataSources: DataSource[] = [];
let server: PostgresServer;

/** A server of its own: roles belong to the whole of one. */
beforeAll(async () => {
  server = await startPostgresProcess();
  await runOnServer(server.url, "CREATE ROLE owner LOGIN; CREATE ROLE app LOGIN");
  await runOnServer(server.url, "CREATE DATABASE host OWNER owner");
});
afterAll(async () => {
  await Promise.all(dataSources.map((dataSource) => dataSource.destroy()));
  await server.stop();
});

function urlOf(role: string): string {
  const url = new URL("host", server.url);
  url.username = role;
  return url.href;
}

async function connect(role: string): Promise<DataSource> {
  const dataSource = new DataSource({
    type: "postgres",
    url: urlOf(role),
    extra: clientOptions,
    entities: [TaskRunState],
    migrations,
  });
  dataSources.push(dataSource);
  return dataSource.initialize();
}

describe("once the owner has migrated and granted, the other role", () => {
  let app: DataSource;

  beforeAll(async () => {
    const owner = await connect("owner");
    await migrate(owner);
    await owner.query(readFileSync(join(__dirname, "../examples/host/grants.sql"), "utf8"));
    app = await connect("app");
  });

  test("records in every way, reads, lists and deletes", async () => {
    const taskRunId = randomUUID();
    const create = (name: string) => app.manager.create(TaskRunState, { taskRunId, type: "RUNNING", name });
    await app.transaction(async (manager) => {
      await manager.insert(TaskRunState, create("inserted"));
      await manager.upsert(TaskRunState, create("upserted"), ["id"]);
      await manager.save(create("saved"));
      await recordTaskRunState(manager, create("recorded"));
      await recordTaskRunStates(manager, [create("recorded in bulk")]);
    });
    const listed = await service.readTaskRunStates(app.manager, taskRunId);
    expect(listed.map(({ name }) => name)).toEqual([
      "inserted",
      "upserted",
      "saved",
      "recorded",
      "recorded in bulk",
    ]);
    const latest = await readLatestTaskRunStates(app.manager, [taskRunId]);
    expect(latest.get(taskRunId)).toEqual(listed.at(-1));
    for (const { id } of listed) {
      expect(await service.readTaskRunState(app.manager, id)).toMatchObject({ id });
      expect(await service.deleteTaskRunState(app.manager, id)).toBe(true);
    }
  });

  test.each([
    "DROP TABLE task_run_state",
    "TRUNCATE task_run_state",
    "ALTER TABLE task_run_state ADD COLUMN note text",
    "CREATE INDEX ON task_run_state (name)",
    "CREATE TABLE note (id uuid)",
    "SELECT FROM migrations",
  ])("is refused: %s", async (sql) => {
    await expect(app.query(sql)).rejects.toMatchObject({ driverError: { code: "42501" } });
  });

  test("cannot run migrations, even where none is pending", async () => {
    await expect(app.runMigrations()).rejects.toMatchObject({ driverError: { code: "42501" } });
  });
});
