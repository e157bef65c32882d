import { deepEqual, equal, rejects } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Client } from "pg";
import { DataSource, type EntityManager } from "typeorm";
import {
  migrations,
  pruneTaskRunStates,
  recordTaskRunState,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";
import { check } from "../../scripts/check";
import { versionOf } from "../../scripts/daemon";
import { startPgpool } from "../../scripts/pgpool";
import { startPostgres } from "../../scripts/postgres";
import { startStandby } from "../../scripts/standby";

const service = new TaskRunStateService();

/** Uses the module through pgpool-II. A read that goes to the standby shows, since the standby stops following the primary. */
async function main(): Promise<void> {
  const version = versionOf("pgpool");
  if (!version) {
    console.log('pgpool-II: did not run. It is not on the PATH; "apt-get install pgpool2" installs it.');
    return;
  }
  console.log(version);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const primary = await startPostgres();
  const standby = await startStandby(primary);
  const pgpool = await startPgpool(primary.url, standby.url);
  const replay = await new DataSource({ type: "postgres", url: standby.url }).initialize();
  const connect = (url: string, options: object = {}) =>
    new DataSource({ type: "postgres", url, entities: [TaskRunState], migrations, ...options }).initialize();

  await replay.query("SELECT pg_wal_replay_pause()");
  await check("migrations fail, since TypeORM's own table is not on the standby yet", () =>
    rejects(connect(pgpool.url, { migrationsRun: true }), /relation "migrations" does not exist/),
  );
  const direct = await connect(primary.url, { migrationsRun: true });
  await replay.query("SELECT pg_wal_replay_resume()");
  const [{ position }] = await direct.query("SELECT pg_current_wal_lsn() AS position");
  const hasFollowed = async () => {
    const [{ done }] = await replay.query("SELECT pg_last_wal_replay_lsn() >= $1 AS done", [position]);
    return done;
  };
  while (!(await hasFollowed())) await setTimeout(20);
  const plain = await connect(pgpool.url, { extra: { max: 1 } });
  const prepared = await connect(pgpool.url, { extra: { max: 1, Client: withPreparedStatements(Client) } });

  await replay.query("SELECT pg_wal_replay_pause()"); // From here on the standby answers as of now.
  for (const [name, { manager }] of Object.entries({ plain, prepared })) {
    await check(`${name}: before a write, a read goes to the standby, also in a transaction`, async () => {
      const { taskRunId } = await record(manager);
      deepEqual(await service.readTaskRunStates(manager, taskRunId), []);
      deepEqual(await manager.transaction((manager) => service.readTaskRunStates(manager, taskRunId)), []);
    });
    await check(`${name}: after a write in the transaction, it goes to the primary`, () =>
      manager.transaction(async (manager) => {
        const state = await record(manager);
        deepEqual(await service.readTaskRunStates(manager, state.taskRunId), [state]);
        deepEqual(await service.readTaskRunState(manager, state.id), state);
      }),
    );
  }
  await check("after that, a read that is not prepared goes to the standby", async () => {
    const { taskRunId } = await record(plain.manager);
    deepEqual(await service.readTaskRunStates(plain.manager, taskRunId), []);
  });
  await check("after that, a prepared read stays on the primary", async () => {
    const state = await record(prepared.manager);
    deepEqual(await service.readTaskRunStates(prepared.manager, state.taskRunId), [state]);
  });
  await check("in a transaction that is SERIALIZABLE, each read goes to the primary", async () => {
    const state = await record(plain.manager);
    const list = (manager: EntityManager) => service.readTaskRunStates(manager, state.taskRunId);
    deepEqual(await plain.manager.transaction("SERIALIZABLE", list), [state]);
  });
  await check("deletes and retention go to the primary", async () => {
    const { id } = await record(plain.manager);
    equal(await service.deleteTaskRunState(plain.manager, id), true);
    const before = new Date(Date.now() + 60_000);
    let counted = 0;
    for await (const { states } of pruneTaskRunStates(plain.manager, { before, dryRun: true }))
      counted += states;
    equal(counted, 0, "A dry run counts on the standby.");
    for await (const _ of pruneTaskRunStates(plain.manager, { before }));
    equal(await direct.manager.count(TaskRunState), 0);
  });

  await Promise.all([plain, prepared, direct, replay].map((dataSource) => dataSource.destroy()));
  await pgpool.stop();
  await standby.stop();
  await primary.stop();
}

const record = (manager: EntityManager) =>
  recordTaskRunState(manager, { taskRunId: randomUUID(), type: "COMPLETED" });

main().catch((error) => {
  console.error(error);
  process.exit(1);
});
