import { fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import { type TestDatabase, useDatabase } from "./support/database";

const HOSTS = 4;

/**
 * Starts four hosts at the same moment; resolves to what came of each. They report over a channel of their own, since
 * TypeORM writes a failed migration to standard output.
 */
async function startHosts(database: TestDatabase, way: "plain" | "locked"): Promise<string[]> {
  const hosts = Array.from({ length: HOSTS }, () =>
    fork(join(__dirname, "support/start-host.ts"), [way], {
      execArgv: ["--import", "tsx"],
      stdio: ["ignore", "ignore", "inherit", "ipc"],
      env: { ...process.env, DATABASE_URL: database.url },
    }),
  );
  const reports = () =>
    Promise.all(hosts.map(async (host): Promise<string> => (await once(host, "message"))[0]));
  expect(await reports()).toEqual(Array(HOSTS).fill("ready"));
  for (const host of hosts) host.send("go");
  return reports();
}

/** One table, and each migration recorded once. */
async function expectMigratedOnce(database: TestDatabase, ofTheHost: string[] = []): Promise<void> {
  const dataSource = await database.connect({ migrationsRun: false });
  const names = await dataSource.query("SELECT name FROM migrations ORDER BY id");
  expect(names).toEqual(["CreateTaskRunState1795305600000", ...ofTheHost].map((name) => ({ name })));
  expect(await dataSource.query("SELECT count(*)::int AS states FROM task_run_state")).toEqual([
    { states: 0 },
  ]);
  expect(await dataSource.showMigrations()).toBe(false);
}

describe("with the migrations run under an advisory lock", () => {
  const database = useDatabase();

  test("four hosts that start at once on a fresh database all start, and each migration is applied once", async () => {
    expect(await startHosts(database, "locked")).toEqual(Array(HOSTS).fill("started"));
    await expectMigratedOnce(database, ["IndexName1795400000000"]);
  });
});

describe("with nothing but migrationsRun, for which TypeORM takes no lock", () => {
  const database = useDatabase();

  test("of four hosts that start at once on a fresh database some may fail; one migration is applied, and all start the next time", async () => {
    const results = await startHosts(database, "plain");
    expect(results).toContain("started");
    for (const result of results) {
      expect(result).toMatch(
        /^(started|(type|relation) "\w+" already exists|duplicate key value violates unique constraint "pg_\w+"|The table public.task_run_state exists already, .*)$/s,
      );
    }
    await expectMigratedOnce(database);
    expect(await startHosts(database, "plain")).toEqual(Array(HOSTS).fill("started"));
    await expectMigratedOnce(database);
  });
});
