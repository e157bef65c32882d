import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import type { PostgresServer } from "../scripts/postgres";
import { clientOptions } from "./support/database";
import { failureOf } from "./support/failure-of";
import { startPostgresProcess, startStandbyProcess } from "./support/postgres-process";
import { record } from "./support/record";
import { until } from "./support/until";

const service = new TaskRunStateService();
const servers: PostgresServer[] = [];
const dataSources: DataSource[] = [];
let primary: PostgresServer;
let standby: PostgresServer;
/** The host's: it writes to the primary and reads from the standby. */
let dataSource: DataSource;
/** Connected to the standby alone. */
let standbyOnly: DataSource;
/** The other way round: it reads from the primary, which is the one that is lost. */
let reversed: DataSource;

const options = { type: "postgres" as const, extra: clientOptions, entities: [TaskRunState], migrations };

beforeAll(async () => {
  primary = await startPostgresProcess();
  servers.push(primary);
  dataSource = await connect(new DataSource({ ...options, url: primary.url, migrationsRun: true }));
  await dataSource.destroy();
  standby = await startStandbyProcess(primary);
  servers.push(standby);
  const [first, second] = [{ url: primary.url }, { url: standby.url }];
  dataSource = await connect(
    new DataSource({ ...options, replication: { master: first, slaves: [second] } }),
  );
  reversed = await connect(new DataSource({ ...options, replication: { master: second, slaves: [first] } }));
  standbyOnly = await connect(new DataSource({ ...options, url: standby.url }));
});

afterAll(async () => {
  await Promise.all(dataSources.map((dataSource) => dataSource.isInitialized && dataSource.destroy()));
  await Promise.all(servers.map((server) => server.stop()));
});

async function connect(dataSource: DataSource): Promise<DataSource> {
  dataSources.push(dataSource);
  return dataSource.initialize();
}

/** Holds the standby back: what is written meanwhile is on the primary only. */
async function whileStandbyLags(work: () => Promise<void>): Promise<void> {
  await standbyOnly.query("SELECT pg_wal_replay_pause()");
  await until(async () => {
    const [{ state }] = await standbyOnly.query("SELECT pg_get_wal_replay_pause_state() AS state");
    return state === "paused";
  });
  try {
    await work();
  } finally {
    await standbyOnly.query("SELECT pg_wal_replay_resume()");
  }
}

test("outside a transaction, both reads go to the standby, and right after a write may not see it", async () => {
  const { manager } = dataSource;
  await whileStandbyLags(async () => {
    const unseen = await record(manager);
    expect(await service.readTaskRunState(manager, unseen.id)).toBeNull();
    expect(await service.readTaskRunStates(manager, unseen.taskRunId)).toEqual([]);
  });
  const seen = await record(manager);
  await until(async () => (await service.readTaskRunStates(manager, seen.taskRunId)).length === 1);
  expect((await service.readTaskRunState(manager, seen.id))?.taskRunId).toBe(seen.taskRunId);
});

test("inside a transaction, reads and the delete go to the primary; so does a delete outside of one", async () => {
  const { manager } = dataSource;
  await whileStandbyLags(async () => {
    const states = [await record(manager), await record(manager)] as const;
    await dataSource.transaction(async (manager) => {
      expect((await service.readTaskRunState(manager, states[0].id))?.id).toBe(states[0].id);
      expect(await service.readTaskRunStates(manager, states[0].taskRunId)).toHaveLength(1);
      expect(await service.deleteTaskRunState(manager, states[0].id)).toBe(true);
      expect(await service.readTaskRunState(manager, states[0].id)).toBeNull();
    });
    expect(await service.deleteTaskRunState(manager, states[1].id)).toBe(true);
    expect(await service.deleteTaskRunState(manager, states[1].id)).toBe(false);
  });
});

test("the standby itself refuses a delete", async () => {
  const { manager } = standbyOnly;
  const { id } = await record(dataSource.manager);
  await until(async () => (await service.readTaskRunState(manager, id)) !== null);
  expect(await failureOf(service.deleteTaskRunState(manager, id))).toMatchObject({
    code: "25006",
    message: "cannot execute DELETE in a read-only transaction",
  });
});

test("with synchronous_commit = remote_apply, a read right after a write sees it", async () => {
  const { manager } = dataSource;
  await manager.query("ALTER SYSTEM SET synchronous_standby_names = '*'");
  await manager.query("ALTER SYSTEM SET synchronous_commit = remote_apply");
  await manager.query("SELECT pg_reload_conf()");
  await until(async () => {
    const [{ sync_state }] = await manager.query("SELECT sync_state FROM pg_stat_replication");
    return sync_state === "sync";
  });
  try {
    for (let round = 0; round < 100; round++) {
      const { id } = await record(manager);
      expect((await service.readTaskRunState(manager, id))?.id).toBe(id);
      expect(await service.deleteTaskRunState(manager, id)).toBe(true);
      expect(await service.readTaskRunState(manager, id)).toBeNull();
    }
  } finally {
    await manager.query("ALTER SYSTEM RESET ALL");
    await manager.query("SELECT pg_reload_conf()");
  }
});

test("when the primary is lost, reads go on; the promoted standby has what it had received, and takes deletes", async () => {
  const { manager } = dataSource;
  const state = await record(manager);
  await until(async () => (await service.readTaskRunState(manager, state.id)) !== null);
  await primary.stop();

  expect((await service.readTaskRunState(manager, state.id))?.id).toBe(state.id);
  expect(await failureOf(service.deleteTaskRunState(manager, state.id))).toMatchObject({
    code: "ECONNREFUSED",
  });

  await standbyOnly.query("SELECT pg_promote()");
  const promoted = standbyOnly.manager;
  expect(await service.readTaskRunStates(promoted, state.taskRunId)).toHaveLength(1);
  expect(await service.deleteTaskRunState(promoted, state.id)).toBe(true);
  expect(await service.readTaskRunStates(promoted, (await record(promoted)).taskRunId)).toHaveLength(1);
});

test("when a replica is lost, calls in a transaction go on, reads outside of one fail, and no process can start", async () => {
  const { manager } = reversed;
  const unknown = randomUUID();
  const failures = [
    await failureOf(service.readTaskRunState(manager, unknown)),
    await failureOf(new DataSource(reversed.options).initialize()),
  ];
  expect(failures).toEqual(Array(2).fill(expect.objectContaining({ code: "ECONNREFUSED" })));
  expect(await manager.transaction((manager) => service.readTaskRunState(manager, unknown))).toBeNull();
  expect(await service.deleteTaskRunState(manager, unknown)).toBe(false);
});
