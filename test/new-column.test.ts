import { cpSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";

import { readPage, root } from "./support/documents";
import { run } from "./support/run";

const MIGRATION = "src/migrations/1900000000000-AddWorkerName.ts";

/** What somebody writes who adds the column `worker_name`: in each file, behind what stands there. */
const edits: Record<string, [place: string, added: string][]> = {
  "src/entities/task-run-state.entity.ts": [
    [
      "  resultArtifactId!: string | null;\n",
      '\n  @Column({ name: "worker_name", type: "varchar", nullable: true })\n  workerName?: string | null;\n',
    ],
  ],
  [MIGRATION]: [
    [
      "",
      `import { type MigrationInterface, type QueryRunner, TableColumn } from "typeorm";

export class AddWorkerName1900000000000 implements MigrationInterface {
  readonly name = "AddWorkerName1900000000000";
  async up(queryRunner: QueryRunner): Promise<void> {
    const column = new TableColumn({ name: "worker_name", type: "varchar", isNullable: true });
    await queryRunner.addColumn("task_run_state", column);
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.dropColumn("task_run_state", "worker_name");
  }
}
`,
    ],
  ],
  "src/migrations.ts": [
    [
      'CreateTaskRunState";\n',
      'import { AddWorkerName1900000000000 } from "./migrations/1900000000000-AddWorkerName";\n',
    ],
    ["[CreateTaskRunState1795305600000", ", AddWorkerName1900000000000"],
  ],
  "src/services/new-task-run-state.ts": [
    ["  resultArtifactId?: string | null | undefined;\n", "  workerName?: string | null | undefined;\n"],
    [
      "  readonly result_artifact_id: string | null | undefined;\n",
      "  readonly worker_name: string | null | undefined;\n",
    ],
    ['  "result_artifact_id",\n', '  "worker_name",\n'],
    ["    resultArtifactId,\n", "    workerName,\n"],
    ["    result_artifact_id: resultArtifactId,\n", "    worker_name: workerName,\n"],
    [
      `assertText(\`\${place}.message\`, message);\n`,
      `  if (!isNone(workerName)) assertText(\`\${place}.workerName\`, workerName);\n`,
    ],
  ],
  "docs/recording.md": [
    [
      "| `resultArtifactId` | `result_artifact_id uuid` | `null` |\n",
      "| `workerName` | `worker_name varchar` | `null` |\n",
    ],
  ],
  "docs/api.md": [
    ["(typeof CreateTaskRunState1795305600000", " | typeof AddWorkerName1900000000000"],
    ["  resultArtifactId?: string | null | undefined;\n", "  workerName?: string | null | undefined;\n"],
    ["  resultArtifactId: string | null;\n", "  workerName?: string | null;\n"],
  ],
  "CHANGELOG.md": [["### Added\n\n", "- The column `worker_name`.\n"]],
  "test/support/documented-table.ts": [
    ['column("result_artifact_id", "uuid", true),\n', 'column("worker_name", "character varying", true),\n'],
    ["    resultArtifactId: randomUUID(),\n", '    workerName: "worker 7",\n'],
  ],
};

/** The tests that compare columns, and the words in their names. */
const FILES = ["api", "existing-table", "recording", "same-as-find-and-delete", "service", "types"];
const NAMES = "declares|makes the table that|lists every|every column|every property|literal";

const copy = mkdtempSync(join(tmpdir(), "task-run-state-column-"));
afterAll(() => rmSync(copy, { recursive: true }));

test("CONTRIBUTING.md lists the files in which a column is added, at most eight", () => {
  const { text } = readPage("CONTRIBUTING.md");
  const [, list = ""] = /## How a column is added\n(.*?)\n## /s.exec(text) ?? [];
  const items = list
    .split(/^\d\. /m)
    .slice(1)
    .join();
  const files = [...items.matchAll(/`((?:src|docs|test)\/[^`]+|CHANGELOG\.md)`/g)].map(([, path]) => path);
  const edited = Object.keys(edits).map((path) =>
    path === MIGRATION ? "src/migrations/TIME-Name.ts" : path,
  );
  expect(files).toEqual(edited);
  expect(files.length).toBeLessThanOrEqual(8);
});

test("a copy to which a column was added in these files compiles, and passes the tests that compare columns", async () => {
  const isOurs = (path: string) => !/^(node_modules|dist|\.(git|prefect|stryker-tmp))$/.test(basename(path));
  cpSync(root, copy, { recursive: true, filter: isOurs });
  symlinkSync(join(root, "node_modules"), join(copy, "node_modules"), "junction");
  for (const [file, additions] of Object.entries(edits)) {
    let text = file === MIGRATION ? "" : readFileSync(join(copy, file), "utf8");
    for (const [place, added] of additions) {
      expect({ file, text }).toEqual({ file, text: expect.stringContaining(place) });
      text = text.replaceAll(place || /^/g, (found) => found + added);
    }
    writeFileSync(join(copy, file), text);
  }
  const jest = ["node_modules/jest/bin/jest.js", "--maxWorkers=1", "--testNamePattern", NAMES];
  const outcomes = await Promise.all([
    run(process.execPath, ["node_modules/typescript/bin/tsc"], { cwd: copy }).ended,
    run(process.execPath, [...jest, ...FILES.map((name) => `test/${name}.test`)], { cwd: copy }).ended,
  ]);
  const failures = outcomes.filter(({ code }) => code !== 0).map(({ output }) => output);
  expect(failures).toEqual([]);
}, 120_000);
