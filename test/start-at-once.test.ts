import { join } from "node:path";
import type { MigrationInterface, QueryRunner } from "typeorm";
import { migrations } from "typeorm-task-run-state";

import { migrate } from "../examples/host/migrate";
import { connectionsInUse, type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { type Run, run } from "./support/run";
import { until } from "./support/until";

/** Starts four hosts that have this migration besides the package's, and compares what ran with what each host wants. */
async function startFour(database: TestDatabase, own: new () => MigrationInterface): Promise<TestDataSource> {
  const connect = () =>
    database.connect({
      migrations: [...migrations, own],
      migrationsRun: false,
      migrationsTransactionMode: "each",
    });
  const hosts = await Promise.all([connect(), connect(), connect(), connect()]);
  await Promise.all(hosts.map((host) => migrate(host)));
  expect(await hosts[0].query("SELECT name FROM migrations ORDER BY id")).toEqual([
    { name: "CreateTaskRunState1795305600000" },
    { name: own.name },
  ]);
  return hosts[0];
}

describe("of four hosts that start at once", () => {
  /** It ends only when every snapshot that is older is gone. */
  class IndexName1795400000000 implements MigrationInterface {
    readonly transaction = false;
    async up(queryRunner: QueryRunner): Promise<void> {
      await queryRunner.query("CREATE INDEX CONCURRENTLY ix_name ON task_run_state (name)");
    }
    async down(): Promise<void> {}
  }
  const database = useDatabase();

  test("one creates an index concurrently while the others wait", async () => {
    const host = await startFour(database, IndexName1795400000000);
    const isValid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_name'::regclass";
    expect(await host.query(isValid)).toEqual([{ indisvalid: true }]);
  });
});

describe("where the server ends transactions that are idle for 200 ms, of four hosts that start at once", () => {
  class TakeASecond1795400000000 implements MigrationInterface {
    async up(queryRunner: QueryRunner): Promise<void> {
      await queryRunner.query("SELECT pg_sleep(1)");
    }
    async down(): Promise<void> {}
  }
  const database = useDatabase();

  test("one migrates for a second while the others wait", async () => {
    const settings = await database.connect({ migrationsRun: false });
    const [{ name }] = await settings.query("SELECT current_database() AS name");
    await settings.query(`ALTER DATABASE ${name} SET idle_in_transaction_session_timeout = '200ms'`);
    await startFour(database, TakeASecond1795400000000);
  });
});

describe("while another process migrates, a host", () => {
  const database = useDatabase();
  let host: TestDataSource;
  let other: Run;

  beforeAll(async () => {
    host = await database.connect({ migrationsRun: false });
    const script = join(__dirname, "support/migrate-for-ever.ts");
    other = run(process.execPath, ["--import", "tsx", script], { env: { DATABASE_URL: database.url } });
    await other.printed(/migrating/);
  });
  afterEach(() => jest.restoreAllMocks());

  test("gives up at the limit with an error, and keeps no connection", async () => {
    await expect(migrate(host, 300)).rejects.toThrow(
      "Gave up after 0.3 s: another instance still runs the migrations.",
    );
    expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("says once what it waits for, and starts when that process dies", async () => {
    const log = jest.spyOn(console, "log").mockImplementation();
    const started = migrate(host);
    await until(async () => log.mock.calls.length > 0);
    expect(await host.showMigrations()).toBe(true);
    other.signal("SIGKILL");
    await started;
    expect(await host.showMigrations()).toBe(false);
    expect(log.mock.calls).toEqual([["Waiting for another instance, which is running the migrations."]]);
  });
});

describe("a host whose lock the server or a pooler ends", () => {
  class EndTheLock1795400000000 implements MigrationInterface {
    async up(queryRunner: QueryRunner): Promise<void> {
      await queryRunner.query("SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'");
      await queryRunner.query("SELECT pg_sleep(0.2)"); // By then the host has heard of it.
    }
    async down(): Promise<void> {}
  }
  const database = useDatabase();

  test("ends its migrations all the same, and starts", async () => {
    const host = await database.connect({ migrationsRun: false, migrations: [EndTheLock1795400000000] });
    await migrate(host);
    expect(await host.showMigrations()).toBe(false);
    expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  });
});
