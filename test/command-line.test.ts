import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOCAL_PORT } from "../scripts/local-port";
import { freePort } from "../scripts/postgres";
import { readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";
import { type Outcome, type Run, run } from "./support/run";

const database = useDatabase();
const root = join(__dirname, "..");

jest.setTimeout(120_000); // Each command starts npm, tsx and TypeORM.

function typeorm(
  args: string[],
  env: Record<string, string | undefined> = { DATABASE_URL: database.url },
): Promise<Outcome> {
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

/** Resolves when the command has said something. */
async function npmRunDb(folder: string): Promise<Run> {
  const db = run("npm", ["run", "--silent", "db"], { env: { TMPDIR: folder }, detached: true });
  await db.printed(/\n/);
  return db;
}

test("without DATABASE_URL the command line uses the server of npm run db, and only one of those runs at a time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-test-"));
  chmodSync(folder, 0o755); // For the user to whom root hands the server.
  const first = await npmRunDb(folder);
  const second = await npmRunDb(folder);
  const unset = await typeorm(["migration:show"], { DATABASE_URL: undefined });
  const empty = await typeorm(["migration:show"], { DATABASE_URL: "" });
  for (const db of [first, second]) {
    db.signal("SIGINT");
    await db.ended;
  }
  const left = readdirSync(folder).filter((name) => name.startsWith("task-run-state-"));
  rmSync(folder, { recursive: true });
  expect(left).toEqual([]);
  expect(second.output()).toBe(`Port ${LOCAL_PORT} is in use: "npm run db" may be running already.\n`);
  expect(unset).toEqual({ code: 0, output: expect.stringContaining("CreateTaskRunState1795305600000") });
  expect(empty).toEqual(unset);

  // Otherwise npm run db runs already, started by whoever runs the tests.
  if (first.output().startsWith("PostgreSQL is ready")) {
    expect(await typeorm(["migration:show"], { DATABASE_URL: undefined })).toEqual({
      code: 1,
      output: `Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:${LOCAL_PORT}): run "npm run db" in another terminal, or set DATABASE_URL.\n`,
    });
  }
});

describe("the command line says in one sentence that it cannot reach the database,", () => {
  test("when DATABASE_URL names no server", async () => {
    const port = await freePort();
    const url = `postgres://someone:secret@127.0.0.1:${port}/postgres`;
    expect(await typeorm(["migration:show"], { DATABASE_URL: url })).toEqual({
      code: 1,
      output: `Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:${port}): check DATABASE_URL, or unset it and run "npm run db" in another terminal.\n`,
    });
  });

  test("when DATABASE_URL is not a URL", async () => {
    const { code, output } = await typeorm(["migration:run"], { DATABASE_URL: "not a url" });
    expect(code).toBe(1);
    expect(output).toMatch(/^Cannot connect to PostgreSQL \(.*\): check DATABASE_URL.*\n$/);
  });
});
