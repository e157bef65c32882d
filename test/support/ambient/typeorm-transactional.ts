import "reflect-metadata";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";
import {
  addTransactionalDataSource,
  initializeTransactionalContext,
  type Propagation,
  runInTransaction,
  type StorageDriver,
} from "typeorm-transactional";

import { clientOptions } from "../database";
import { assertTakesPart } from "./take-part";

/** Checks each manager that a host can hold under typeorm-transactional, with the storage driver of the argument. */
async function main(storageDriver: StorageDriver): Promise<void> {
  initializeTransactionalContext({ storageDriver });
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    extra: clientOptions,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  });
  addTransactionalDataSource(dataSource);
  await dataSource.initialize();

  const injected = dataSource.manager;
  const repository = dataSource.getRepository(TaskRunState);
  for (const manager of [() => injected, () => repository.manager, () => dataSource.manager]) {
    await assertTakesPart({
      dataSource,
      run: (propagation, work) => runInTransaction(work, { propagation: propagation as Propagation }),
      hasSavepoints: false,
      transaction: () => dataSource.manager,
      manager,
    });
  }
  await dataSource.destroy();
}

main(process.argv[2] as StorageDriver);
