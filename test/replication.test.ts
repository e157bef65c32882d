import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import type { PostgresServer } from "../scripts/postgres";
import { clientOptions } from "./support/database";
import { failureOf } from "./support/failure-of";
import { startPostgresProcess } from "./support/postgres-process";
import { record } from "./support/record";
import { until } from "./support/until";

const service = new TaskRunStateService();
const servers: PostgresServer[] = [];
const dataSources: DataSource[] = [];
let replica: DataSource;
/** The host's: it writes to the primary and reads from the replica. */
let dataSource: DataSource;

beforeAll(async () => {
  const settings = { wal_level: "logical" };
  servers.push(...(await Promise.all([startPostgresProcess(settings), startPostgresProcess(settings)])));
  const [primaryUrl, replicaUrl] = servers.map(({ url }) => url) as [string, string];

  const options = {
    type: "postgres" as const,
    extra: clientOptions,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  };
  replica = await connect(new DataSource({ ...options, url: replicaUrl }));
  dataSource = await connect(
    new DataSource({
      ...options,
      replication: { master: { url: primaryUrl }, slaves: [{ url: replicaUrl }] },
    }),
  );
  await dataSource.query("CREATE PUBLICATION states FOR TABLE task_run_state");
  await replica.query(`CREATE SUBSCRIPTION states CONNECTION '${primaryUrl}' PUBLICATION states`);
});

afterAll(async () => {
  await Promise.all(dataSources.map((dataSource) => dataSource.destroy()));
  await Promise.all(servers.map((server) => server.stop()));
});

async function connect(dataSource: DataSource): Promise<DataSource> {
  dataSources.push(dataSource);
  return dataSource.initialize();
}

/** Holds the replica back: what is written meanwhile is on the primary only. */
async function whileReplicaLags(work: () => Promise<void>): Promise<void> {
  await replica.query("ALTER SUBSCRIPTION states DISABLE");
  await until(
    async () => (await replica.query("SELECT FROM pg_stat_subscription WHERE pid IS NOT NULL")).length === 0,
  );
  try {
    await work();
  } finally {
    await replica.query("ALTER SUBSCRIPTION states ENABLE");
  }
}

test("both reads go to the replica outside a transaction", async () => {
  const { manager } = dataSource;
  const seen = await record(manager);
  await until(async () => (await service.readTaskRunState(manager, seen.id)) !== null);
  await whileReplicaLags(async () => {
    await manager.update(TaskRunState, { id: seen.id }, { name: "changed" });
    expect((await service.readTaskRunState(manager, seen.id))?.name).toBe("Running");
    expect((await service.readTaskRunStates(manager, seen.taskRunId)).map(({ name }) => name)).toEqual([
      "Running",
    ]);
  });
  await until(async () => (await service.readTaskRunState(manager, seen.id))?.name === "changed");
});

test("reads and the delete go to the primary inside a transaction", async () => {
  await whileReplicaLags(async () => {
    const unseen = await record(dataSource.manager);
    await dataSource.transaction(async (manager) => {
      expect((await service.readTaskRunState(manager, unseen.id))?.id).toBe(unseen.id);
      expect(await service.readTaskRunStates(manager, unseen.taskRunId)).toHaveLength(1);
      expect(await service.deleteTaskRunState(manager, unseen.id)).toBe(true);
      expect(await service.readTaskRunState(manager, unseen.id)).toBeNull();
    });
  });
});

test("a delete goes to the primary outside a transaction, and the replica follows", async () => {
  const { manager } = dataSource;
  const { id } = await record(manager);
  await until(async () => (await service.readTaskRunState(manager, id)) !== null);
  await whileReplicaLags(async () => {
    expect(await service.deleteTaskRunState(manager, id)).toBe(true);
    expect((await service.readTaskRunState(manager, id))?.id).toBe(id);
    expect(await service.deleteTaskRunState(manager, id)).toBe(false);
  });
  await until(async () => (await service.readTaskRunState(manager, id)) === null);
});

test("a replica that lacks a column stops, and goes on once it has it", async () => {
  const { manager } = dataSource;
  await manager.query("ALTER TABLE task_run_state ADD COLUMN priority int");
  const { id } = await record(manager);
  const failures = "SELECT FROM pg_stat_subscription_stats WHERE apply_error_count > 0";
  await until(async () => (await replica.query(failures)).length > 0);
  expect(await service.readTaskRunState(manager, id)).toBeNull();
  await replica.query("ALTER TABLE task_run_state ADD COLUMN priority int");
  await until(async () => (await service.readTaskRunState(manager, id)) !== null);
});

test("once the replica is lost, calls in a transaction go on, reads outside of one fail, and no process can start", async () => {
  const { manager, options } = dataSource;
  await servers[1]?.stop();
  const failures = [
    await failureOf(service.readTaskRunState(manager, randomUUID())),
    await failureOf(new DataSource(options).initialize()),
  ];
  expect(failures).toEqual(Array(2).fill(expect.objectContaining({ code: "ECONNREFUSED" })));
  expect(await manager.transaction((manager) => service.readTaskRunState(manager, randomUUID()))).toBeNull();
  expect(await service.deleteTaskRunState(manager, randomUUID())).toBe(false);
});
