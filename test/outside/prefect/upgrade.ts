import { deepEqual, notDeepEqual, ok } from "node:assert/strict";
import type { DataSource, EntityManager } from "typeorm";
import { createDataSource } from "../../../examples/prefect/data-source";
import { check } from "../../../scripts/check";
import type { PrefectEnvironment } from "../../../scripts/prefect/environment";
import { openPrograms } from "../../../scripts/prefect/programs";
import { startPrefect } from "../../../scripts/prefect/server";
import type { ByFunctions } from "./by-functions";
import { type Live, python, service, startWorker } from "./live";
import { readStates } from "./read-states";
import { recordStates } from "./record-states";

/**
 * Checks an upgrade of Prefect in place, on a database that the module is using: `upgrade.ts OLDER NEWER`, in a host's
 * folder, with DATABASE_URL naming an empty database.
 */
async function main(older: PrefectEnvironment, newer: PrefectEnvironment): Promise<void> {
  const endWithParent = () => process.exit(1);
  process.once("disconnect", endWithParent);
  const { DATABASE_URL: url = "" } = process.env;
  console.log(`\nPrefect ${older.version} upgraded to ${newer.version}`);

  const before = await start(older, url);
  await check("Prefect records states of every kind", () => recordStates(before));
  await stop(before);
  await check("Rows are the same after the upgrade, and no call failed meanwhile", () =>
    upgrade(newer.bin, url),
  );
  const after = await start(newer, url);
  const original = await python<ByFunctions>({ worker: startWorker(after.prefect) }, "functions");
  await check("Each state and each list is read as the newer Prefect reads it", () =>
    readStates(after, original),
  );
  await stop(after);
  process.off("disconnect", endWithParent);
  process.disconnect();
}

type Started = Pick<Live, "prefect" | "dataSource">;

async function start({ bin }: PrefectEnvironment, url: string): Promise<Started> {
  const prefect = await startPrefect(bin, url);
  return { prefect, dataSource: await createDataSource(url).initialize() };
}

async function stop({ prefect, dataSource }: Started): Promise<void> {
  await dataSource.destroy();
  prefect.stop();
}

/** Resolves to how often the module was at work until the tables were those of the newer Prefect. */
async function upgrade(bin: string, url: string): Promise<string> {
  const dataSource = await createDataSource(url).initialize();
  const { manager } = dataSource;
  const [rows, revision] = [await readPlaces(manager), await readRevision(manager)];
  let isUpgraded = false;
  const work = async () => {
    let rounds = 0;
    while (!isUpgraded) await useState(dataSource, rows[rounds++ % rows.length]);
    return rounds;
  };
  const migrate = async () => {
    const programs = await openPrograms(bin, url);
    programs.stop();
  };
  const [rounds] = await Promise.all([work(), migrate().finally(() => (isUpgraded = true))]);
  notDeepEqual(await readRevision(manager), revision);
  deepEqual(await readPlaces(manager), rows);
  await dataSource.destroy();
  ok(rounds > 0);
  return `${rows.length} rows the same, to their places in the table; ${rounds} times read, listed, and deleted and rolled back`;
}

/** Reads, lists, and deletes and rolls back. */
async function useState(dataSource: DataSource, row: Place | undefined): Promise<void> {
  ok(row);
  const { id, task_run_id: taskRunId } = row;
  const queryRunner = dataSource.createQueryRunner();
  try {
    const { manager } = queryRunner;
    ok(await service.readTaskRunState(manager, id));
    const states = await service.readTaskRunStates(manager, taskRunId);
    await queryRunner.startTransaction();
    ok(await service.deleteTaskRunState(manager, id));
    ok((await service.readTaskRunStates(manager, taskRunId)).length === states.length - 1);
    await queryRunner.rollbackTransaction();
  } finally {
    await queryRunner.release();
  }
}

interface Place {
  id: string;
  task_run_id: string;
}

/** All rows with the transactions that wrote them and their places. */
function readPlaces(manager: EntityManager): Promise<Place[]> {
  return manager.query(
    "SELECT xmin, ctid, to_jsonb(s) AS row, id, task_run_id FROM task_run_state s ORDER BY id",
  );
}

/** Of Prefect's migrations. */
function readRevision(manager: EntityManager): Promise<object[]> {
  return manager.query("SELECT version_num FROM alembic_version");
}

const [older, newer] = process.argv.slice(2).map((environment) => JSON.parse(environment));
main(older, newer).catch((error) => {
  console.error(error);
  process.exit(1);
});
