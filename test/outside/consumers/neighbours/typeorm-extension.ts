import { deepEqual, equal } from "node:assert/strict";
import { DataSource } from "typeorm";
import {
  checkDatabase,
  createDatabase,
  dropDatabase,
  getSchemaDrift,
  runSeeders,
  type SeederFactoryManager,
  setSeederFactory,
  withDatabaseLock,
} from "typeorm-extension";
import { TaskRunState } from "typeorm-task-run-state";

import { options, taskRunId } from "./history.js";

const own = { ...options, migrationsRun: false, url: `${options.url}_own` };
await createDatabase({ options: own, synchronize: false });
const dataSource = await new DataSource(own).initialize();
const queryRunner = dataSource.createQueryRunner();
await withDatabaseLock(queryRunner, "migrations", () => dataSource.runMigrations());
await queryRunner.release();
deepEqual(await checkDatabase({ options: own }), { exists: true, schema: true, migrationsPending: [] });
equal((await getSchemaDrift(dataSource)).exists, false);

const factory = setSeederFactory(TaskRunState, () =>
  Object.assign(new TaskRunState(), { taskRunId, type: "RUNNING" }),
);
class Histories {
  async run(_dataSource: DataSource, factories: SeederFactoryManager): Promise<void> {
    await factories.get(TaskRunState).saveMany(3);
  }
}
await runSeeders(dataSource, { seeds: [Histories], factories: [factory] });
const states = await dataSource.manager.find(TaskRunState);
deepEqual(
  states.map(({ name }) => name),
  ["Running", "Running", "Running"],
);

await dataSource.destroy();
await dropDatabase({ options: own });
