import { spawnSync } from "node:child_process";
import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Column, type MigrationInterface, type QueryRunner, TableColumn } from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { useDatabase } from "./support/database";
import { record } from "./support/record";
import { run } from "./support/run";

const database = useDatabase();
const service = new TaskRunStateService();

/** What a later version may bring: one more column, which may be null. */
class AddPriority1895305600000 implements MigrationInterface {
  async up(queryRunner: QueryRunner): Promise<void> {
    const priority = new TableColumn({ name: "priority", type: "integer", isNullable: true });
    await queryRunner.addColumn("task_run_state", priority);
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("task_run_state", "priority");
  }
}

/** The entity of that version, for the data sources that are initialized from now on. */
function addPriorityToTheEntity(): void {
  Column({ name: "priority", type: "integer", nullable: true })(TaskRunState.prototype, "priority");
}

type WithPriority = TaskRunState & { priority?: number | null };

test("a process of the old version records on while a new one migrates, reads, records and is undone", async () => {
  const taskRunId = randomUUID();
  const oldVersion = await database.connect();
  const recorder = run(process.execPath, ["--import", "tsx", "test/support/keep-recording.ts", taskRunId], {
    env: { DATABASE_URL: database.url },
  });
  const recorded = (): string[] => recorder.output().match(/^[0-9a-f-]{36}$/gm) ?? [];
  const recordsOn = () => recorder.printed(new RegExp(`^(.+\n){${recorded().length + 50}}`));
  await recordsOn();

  addPriorityToTheEntity();
  const newVersion = await database.connect({ migrations: [...migrations, AddPriority1895305600000] });
  await recordsOn();
  const urgent = { taskRunId, priority: 1 };
  const { id } = await record(newVersion.manager, urgent);
  const ids = recorded();
  const states: WithPriority[] = await service.readTaskRunStates(newVersion.manager, taskRunId);
  expect(states.map((state) => state.id)).toEqual(expect.arrayContaining([...ids, id]));
  expect(new Set(states.map(({ priority }) => priority))).toEqual(new Set([null, 1]));
  expect(await service.readTaskRunState(oldVersion.manager, id)).not.toHaveProperty("priority");

  await newVersion.undoLastMigration();
  await recordsOn();
  recorder.signal("SIGTERM");
  expect(await recorder.ended).toMatchObject({ code: 0 });
  const left = await service.readTaskRunStates(oldVersion.manager, taskRunId);
  expect(left.map((state) => state.id).sort()).toEqual([...recorded(), id].sort());
});

test("a column that a minor version adds, as CONTRIBUTING.md says, breaks nothing that hosts write today", () => {
  const root = join(__dirname, "..");
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-types-"));
  const tsc = (...args: string[]) => {
    const { stdout, status } = spawnSync(join(root, "node_modules/.bin/tsc"), args, {
      cwd: folder,
      encoding: "utf8",
    });
    expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
  };
  try {
    for (const file of ["src", "package.json", "tsconfig.json", "tsconfig.build.json"]) {
      cpSync(join(root, file), join(folder, file), { recursive: true });
    }
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    const [property] = /priority\?: [^`]+/.exec(readFileSync(join(root, "CONTRIBUTING.md"), "utf8")) ?? [];
    const entity = join(folder, "src/entities/task-run-state.entity.ts");
    const column = `@Column({ name: "priority", type: "integer", nullable: true })\n${property};\n}`;
    writeFileSync(entity, readFileSync(entity, "utf8").replace(/^}$/m, column));
    tsc("-p", "tsconfig.build.json");

    cpSync(join(__dirname, "outside/consumers/types/usage.mts"), join(folder, "usage.mts"));
    const config = {
      extends: join(__dirname, "outside/consumers/types/tsconfig.json"),
      compilerOptions: { skipLibCheck: true, paths: { "typeorm-task-run-state": ["./dist/index.d.ts"] } },
      files: ["usage.mts"],
    };
    writeFileSync(join(folder, "host.json"), JSON.stringify(config));
    tsc("-p", "host.json");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
