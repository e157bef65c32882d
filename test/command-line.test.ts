import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { LOCAL_PORT } from "../dev/local-port";
import { freePort } from "../dev/postgres";
import { readCatalog } from "./support/catalog";
import { useDatabase } from "./support/database";

const database = useDatabase();
const root = join(__dirname, "..");

interface Outcome {
  code: number;
  output: string;
}

/** Runs `npm run typeorm -- <arguments>` as a process of its own. */
function typeorm(args: string[], env: Record<string, string | undefined> = { DATABASE_URL: database.url }) {
  return new Promise<Outcome>((resolve) => {
    const options = { cwd: root, env: { ...process.env, ...env } };
    const command = execFile(
      "npm",
      ["run", "--silent", "typeorm", "--", ...args],
      options,
      (_, stdout, stderr) => resolve({ code: command.exitCode ?? -1, output: stdout + stderr }),
    );
  });
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
  expect(readdirSync(join(root, "src/migrations"))).toEqual(["1795305600000-CreateTaskRunState.ts"]);
});

/** Runs `npm run db` in a process group of its own, as a terminal does; resolves when it has said something. */
async function npmRunDb(folder: string): Promise<{ said: string; stop: () => Promise<unknown> }> {
  const env = { ...process.env, TMPDIR: folder };
  const child = spawn("npm", ["run", "--silent", "db"], { cwd: root, detached: true, env });
  const closed = once(child, "close");
  const [said] = await Promise.race([once(child.stdout, "data"), once(child.stderr, "data")]);
  const stop = () => {
    if (child.exitCode === null) process.kill(-(child.pid ?? Number.NaN), "SIGINT");
    return closed;
  };
  return { said: String(said), stop };
}

test("without DATABASE_URL the command line uses the server of npm run db, and only one of those runs at a time", async () => {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-test-"));
  chmodSync(folder, 0o755); // For the user to whom root hands the server.
  const first = await npmRunDb(folder);
  const second = await npmRunDb(folder);
  const unset = await typeorm(["migration:show"], { DATABASE_URL: undefined });
  const empty = await typeorm(["migration:show"], { DATABASE_URL: "" });
  await first.stop();
  await second.stop();
  const left = readdirSync(folder).filter((name) => name.startsWith("task-run-state-"));
  rmSync(folder, { recursive: true });
  expect(left).toEqual([]);
  expect(second.said).toBe(`Port ${LOCAL_PORT} is in use: "npm run db" may be running already.\n`);
  expect(unset).toEqual({ code: 0, output: expect.stringContaining("CreateTaskRunState1795305600000") });
  expect(empty).toEqual(unset);

  // Otherwise npm run db runs already, started by whoever runs the tests.
  if (first.said.startsWith("PostgreSQL is ready")) {
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
