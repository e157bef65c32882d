import { readdirSync } from "node:fs";
import { join } from "node:path";

import { readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";
import { type Outcome, run } from "./support/run";

const database = useDatabase();
const root = join(__dirname, "..");

jest.setTimeout(120_000); // Each command starts npm, tsx and TypeORM.

function typeorm(args: string[]): Promise<Outcome> {
  const env = { DATABASE_URL: database.url };
  return run("npm", ["run", "--silent", "typeorm", "--", ...args], { env }).ended;
}

test("migration:show, run, generate --check and revert work through ormconfig.ts", async () => {
  const dataSource = await database.connect({ migrationsRun: false });

  expect(await typeorm(["migration:show"])).toEqual({
    code: 0,
    output: expect.stringContaining("[ ] CreateTaskRunState1795305600000"),
  });

  expect(await typeorm(["migration:run"])).toEqual({
    code: 0,
    output: expect.stringMatching(/CreateTaskRunState1795305600000 has been +executed successfully/),
  });
  expect((await readCatalog(dataSource)).tables).toEqual(["task_run_state"]);
  expect((await typeorm(["migration:show"])).output).toMatch(/\[X\] \d+ CreateTaskRunState1795305600000/);

  expect(await typeorm(["migration:generate", "src/migrations/Drift", "--check"])).toEqual({
    code: 0,
    output: expect.stringContaining("No changes in database schema were found"),
  });

  await dataSource.query('DROP INDEX "ix_task_run_state__task_run_id_timestamp"');
  expect(await typeorm(["migration:generate", "src/migrations/Drift", "--check"])).toEqual({
    code: 1,
    output: expect.stringContaining('CREATE INDEX "ix_task_run_state__task_run_id_timestamp"'),
  });
  await dataSource.query(
    'CREATE INDEX "ix_task_run_state__task_run_id_timestamp" ON task_run_state (task_run_id, "timestamp")',
  );

  expect(await typeorm(["migration:revert"])).toEqual({
    code: 0,
    output: expect.stringMatching(/CreateTaskRunState1795305600000 has been +reverted successfully/),
  });
  expect((await readCatalog(dataSource)).tables).toEqual([]);
  expect(readdirSync(join(root, "src/migrations"))).not.toContainEqual(expect.stringContaining("Drift"));
});
