import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Entity, type EntityManager, PrimaryColumn } from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { useDatabase } from "./support/database";
import { readPage, root } from "./support/documents";
import { failureOf } from "./support/failure-of";

const database = useDatabase();
const databaseWithoutTable = useDatabase();
const service = new TaskRunStateService();
const [id, taskRunId] = [randomUUID(), randomUUID()];

let manager: EntityManager;
beforeAll(async () => {
  ({ manager } = await database.connect());
});

/** What a host does wrong, by the message that it gets. */
const mistakes: Record<string, () => Promise<unknown>> = {
  async 'No metadata for "TaskRunState" was found.'() {
    const dataSource = await database.connect({ entities: [], migrationsRun: false });
    await service.readTaskRunState(dataSource.manager, id);
  },
  async "has another class for its table"() {
    @Entity({ name: "task_run_state" })
    class OtherState {
      @PrimaryColumn({ type: "uuid" })
      id!: string;
    }
    const dataSource = await database.connect({ entities: [OtherState], migrationsRun: false });
    await service.readTaskRunState(dataSource.manager, id);
  },
  async "manager must be TypeORM's EntityManager"() {
    await service.readTaskRunState(manager.connection as never, id);
  },
  async "must be a UUID string such as"() {
    await service.readTaskRunState(manager, "7");
  },
  async 'relation "task_run_state" does not exist'() {
    const dataSource = await databaseWithoutTable.connect({ migrationsRun: false });
    await service.readTaskRunState(dataSource.manager, id);
  },
  async "exists already, so CreateTaskRunState1795305600000 created nothing"() {
    await manager.query("CREATE SCHEMA synchronized");
    await database.connect({ schema: "synchronized", synchronize: true, migrationsRun: false });
    await database.connect({ schema: "synchronized" });
  },
  async 'schema "app" does not exist'() {
    await database.connect({ schema: "app" });
  },
  async 'null value in column "name"'() {
    await manager.insert(TaskRunState, { taskRunId, type: "RUNNING" });
  },
  async 'duplicate key value violates unique constraint "pk_task_run_state"'() {
    const state = manager.create(TaskRunState, { taskRunId, type: "RUNNING" });
    await manager.insert(TaskRunState, state);
    await manager.insert(TaskRunState, state);
  },
  async "invalid input value for enum task_run_state_type"() {
    const { type } = JSON.parse('{ "type": "SLEEPING" }');
    await manager.insert(TaskRunState, manager.create(TaskRunState, { taskRunId, type }));
  },
  async "current transaction is aborted"() {
    await manager.transaction(async (manager) => {
      await failureOf(manager.query("SELECT 1 / 0"));
      await service.readTaskRunState(manager, id);
    });
  },
  async "bind message has"() {
    const state = () => manager.create(TaskRunState, { taskRunId, type: "RUNNING" });
    await manager.insert(TaskRunState, Array.from({ length: 20_000 }, state));
  },
  async "Index signature for type 'string' is missing"() {
    compile(`
      import { TaskRunState } from "typeorm-task-run-state";
      interface Details { attempt: number }
      export const give = (state: TaskRunState, details: Details) => { state.stateDetails = details; };
    `);
  },
};

/** Throws what the compiler says. */
function compile(code: string): void {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-compile-"));
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
  writeFileSync(join(folder, "code.mts"), code);
  const config = { extends: join(root, "tsconfig.json"), files: ["code.mts"], include: [] };
  writeFileSync(join(folder, "tsconfig.json"), JSON.stringify(config));
  const { stdout } = spawnSync(join(root, "node_modules/.bin/tsc"), { cwd: folder, encoding: "utf8" });
  rmSync(folder, { recursive: true });
  if (stdout) throw new Error(stdout);
}

const [, table = ""] = readPage("docs/hosts.md").text.split(
  "| message | cause | what to do |\n| --- | --- | --- |\n",
);
const messages = [...table.matchAll(/^\| `(.+?)` \|/gm)].map(([, message = ""]) => message);

test("every message that the page explains is known here, and every one here is explained", () => {
  expect(Object.keys(mistakes)).toEqual(messages);
});

test.each(messages)("%s", async (message) => {
  const mistake = mistakes[message];
  expect(mistake && (await failureOf(mistake()))).toHaveProperty("message", expect.stringContaining(message));
});
