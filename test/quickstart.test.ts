import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { until } from "./support/until";

const database = useDatabase();

/** Runs `npm start` in a process group of its own, as a terminal does. */
function npmStart(env: Record<string, string | undefined>): { child: ChildProcess; output: () => string } {
  const child = spawn("npm", ["start", "--silent"], {
    cwd: join(__dirname, ".."),
    detached: true,
    env: { ...process.env, ...env },
  });
  let output = "";
  child.stdout.on("data", (chunk) => (output += chunk));
  child.stderr.on("data", (chunk) => (output += chunk));
  return { child, output: () => output };
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
    const { child, output } = npmStart({ DATABASE_URL: database.url });
    const [code] = await once(child, "close");
    expect(output()).toContain("Recorded 281 states of 10 task runs in one transaction");
    expect(output()).toMatch(/535c11a5 {2}243 {2}Pending > Running > AwaitingRetry > Running > \(237 more\)/);
    expect(output()).toMatch(/\+17 ms {2}Running +35 ms +=========\n/);
    expect(output()).toContain("COMPLETED at 2026-11-22T10:53:01.198Z: Finished in state Completed()");
    expect(output()).toContain(
      "in a transaction: deleted true, still there for others true\n" +
        "rolled back: still there true\n" +
        "for good: deleted true, still there false",
    );
    expect(output()).toContain("InvalidUuidError: taskRunStateId must be a UUID string");
    expect(code).toBe(0);
    expect(await contents()).toEqual(before);
  });

  test.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)("removes its schema on %s", async (signal) => {
    const { child, output } = npmStart({ DATABASE_URL: database.url });
    await until(async () => (await schemas()).length > 0);
    signalGroup(child, signal);
    await once(child, "close");
    expect(output()).not.toContain("InvalidUuidError");
    expect(await schemas()).toEqual([]);
  });

  test("says in plain words that a server cannot be reached", async () => {
    const { child, output } = npmStart({ DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/postgres" });
    const [code] = await once(child, "close");
    expect(output()).toBe(
      "Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:1): " +
        "check DATABASE_URL, or unset it to use an embedded server.\n",
    );
    expect(code).toBe(1);
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
    const { child, output } = npmStart({ DATABASE_URL: undefined, TMPDIR: folder });
    const [code] = await once(child, "close");
    expect(output()).toContain("Recorded 281 states of 10 task runs in one transaction");
    expect(code).toBe(0);
    expect(leftIn(folder)).toEqual({ servers: [], files: [] });
  });

  test("leaves no process and no file behind on Ctrl-C", async () => {
    const { child, output } = npmStart({ DATABASE_URL: undefined, TMPDIR: folder });
    while (!output().includes("Recorded")) await once(child.stdout ?? child, "data");
    signalGroup(child, "SIGINT");
    await once(child, "close");
    expect(leftIn(folder)).toEqual({ servers: [], files: [] });
  });
});

/** As a terminal does on Ctrl-C, or when it closes. */
function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  process.kill(-(child.pid ?? Number.NaN), signal);
}

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
