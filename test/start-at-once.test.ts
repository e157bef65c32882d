import { spawn } from "node:child_process";
import { join } from "node:path";
import { createInterface } from "node:readline/promises";

import { type TestDatabase, useDatabase } from "./support/database";

const HOSTS = 4;
/** Starts four hosts at the same moment; resolves to what each printed. */
async function startHosts(database: TestDatabase, way: "plain" | "locked"): Promise<string[]> {
  const hosts = Array.from({ length: HOSTS }, () => {
    const host = spawn(process.execPath, ["--import", "tsx", join(__dirname, "support/start-host.ts"), way], {
      stdio: ["pipe", "pipe", "inherit"],
      env: { ...process.env, DATABASE_URL: database.url },
    });
    return { host, lines: createInterface(host.stdout)[Symbol.asyncIterator]() };
  });
  const next = () => Promise.all(hosts.map(async ({ lines }): Promise<string> => (await lines.next()).value));
  expect(await next()).toEqual(Array(HOSTS).fill("ready"));
  for (const { host } of hosts) host.stdin.write("go\n");
  return next();
}

/** One table, and the migration recorded once. */
async function expectMigratedOnce(database: TestDatabase): Promise<void> {
  const dataSource = await database.connect({ migrationsRun: false });
  expect(await dataSource.query("SELECT name FROM migrations")).toEqual([
    { name: "CreateTaskRunState1795305600000" },
  ]);
  expect(await dataSource.query("SELECT count(*)::int AS states FROM task_run_state")).toEqual([
    { states: 0 },
  ]);
  expect(await dataSource.showMigrations()).toBe(false);
}

describe("with the migrations run under an advisory lock", () => {
  const database = useDatabase();

  test("four hosts that start at once on a fresh database all start, and one migration is applied", async () => {
    expect(await startHosts(database, "locked")).toEqual(Array(HOSTS).fill("started"));
    await expectMigratedOnce(database);
  });
});

describe("with nothing but migrationsRun, for which TypeORM takes no lock", () => {
  const database = useDatabase();

  test("of four hosts that start at once on a fresh database some may fail; one migration is applied, and all start the next time", async () => {
    const results = await startHosts(database, "plain");
    expect(results).toContain("started");
    for (const result of results) {
      expect(result).toMatch(/^started$|already exists$|duplicate key value violates unique constraint "pg_/);
    }
    await expectMigratedOnce(database);
    expect(await startHosts(database, "plain")).toEqual(Array(HOSTS).fill("started"));
    await expectMigratedOnce(database);
  });
});
