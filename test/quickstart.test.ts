import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { type Run, run } from "./support/run";
import { until } from "./support/until";

const database = useDatabase();

function npmStart(env: Record<string, string | undefined>): Run {
  return run("npm", ["start", "--silent"], { env, detached: true });
}

let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect({ migrationsRun: false });
});

async function schemas(): Promise<string[]> {
  const rows = await dataSource.query(
    "SELECT nspname FROM pg_namespace WHERE nspname LIKE 'task_run_state%'",
  );
  return rows.map(({ nspname }: { nspname: string }) => nspname);
}

/** Whatever `npm start` could have touched: every relation and type, and the rows of the table of the same name. */
async function contents(): Promise<unknown> {
  return {
    relations: await dataSource.query(
      "SELECT oid, relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_toast' ORDER BY oid",
    ),
    types: await dataSource.query("SELECT oid, typname FROM pg_type WHERE typtype = 'e' ORDER BY oid"),
    schemas: await dataSource.query("SELECT oid, nspname FROM pg_namespace ORDER BY oid"),
    states: await dataSource.query("SELECT * FROM task_run_state"),
    migrations: await dataSource.query("SELECT * FROM migrations"),
  };
}

describe("npm start on the user's own server", () => {
  test("shows the recorded history, and leaves the database as it was", async () => {
    await dataSource.runMigrations();
    await record(dataSource.manager);
    const before = await contents();
    const { code, output } = await npmStart({ DATABASE_URL: database.url }).ended;
    expect(output).toContain("Recorded 281 states of 10 task runs in one transaction");
    expect(output).toMatch(/535c11a5 {2}243 {2}Pending > Running > AwaitingRetry > Running > \(237 more\)/);
    expect(output).toMatch(/\+17 ms {2}Running +35 ms +=========\n/);
    expect(output).toContain("COMPLETED at 2026-11-22T10:53:01.198Z: Finished in state Completed()");
    expect(output).toContain(
      "in a transaction: deleted true, still there for others true\n" +
        "rolled back: still there true\n" +
        "for good: deleted true, still there false",
    );
    expect(output).toContain("InvalidUuidError: taskRunStateId must be a UUID string");
    expect(code).toBe(0);
    expect(await contents()).toEqual(before);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("removes its schema on %s", async (signal) => {
    const quickstart = npmStart({ DATABASE_URL: database.url });
    await until(async () => (await schemas()).length > 0);
    quickstart.signal(signal);
    expect((await quickstart.ended).output).not.toContain("InvalidUuidError");
    expect(await schemas()).toEqual([]);
  });

  test("says in plain words that a server cannot be reached", async () => {
    const quickstart = npmStart({ DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/postgres" });
    expect(await quickstart.ended).toEqual({
      code: 1,
      output:
        "Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:1): " +
        "check DATABASE_URL, or unset it to use an embedded server.\n",
    });
  });
});

describe("npm start without a server", () => {
  let folder: string;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "task-run-state-test-"));
    chmodSync(folder, 0o755); // For the user to whom root hands the server.
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  test("brings its own, and leaves no process and no file behind", async () => {
    const { code, output } = await npmStart({ DATABASE_URL: undefined, TMPDIR: folder }).ended;
    expect(output).toContain("Recorded 281 states of 10 task runs in one transaction");
    expect(code).toBe(0);
    expect(leftIn(folder)).toEqual({ servers: [], files: [] });
  });

  test("leaves no process and no file behind on Ctrl-C", async () => {
    const quickstart = npmStart({ DATABASE_URL: undefined, TMPDIR: folder });
    await quickstart.printed(/Recorded/);
    quickstart.signal("SIGINT");
    await quickstart.ended;
    expect(leftIn(folder)).toEqual({ servers: [], files: [] });
  });
});

/** Servers whose files are in the folder (where the system tells, as Linux does), and its files. */
function leftIn(folder: string): { servers: string[]; files: string[] } {
  const commands = existsSync("/proc/self/cmdline")
    ? readdirSync("/proc").map((id) => attempt(() => readFileSync(`/proc/${id}/cmdline`, "utf8")))
    : [];
  return {
    servers: commands.filter((command) => command.includes(folder)),
    files: readdirSync(folder).filter((name) => !isCache(name)),
  };
}

/** That of tsx, or the one that npm keeps on Node.js 22 and later. */
function isCache(name: string): boolean {
  return name.startsWith("tsx-") || name === "node-compile-cache";
}

function attempt(read: () => string): string {
  try {
    return read();
  } catch {
    return "";
  }
}
