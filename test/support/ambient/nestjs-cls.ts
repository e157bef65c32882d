import { equal, rejects } from "node:assert/strict";
import { Inject, Injectable, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { getDataSourceToken, InjectDataSource, InjectEntityManager, TypeOrmModule } from "@nestjs/typeorm";
import {
  ClsPluginTransactional,
  InjectTransaction,
  type Propagation,
  TransactionHost,
} from "@nestjs-cls/transactional";
import { TransactionalAdapterTypeOrm } from "@nestjs-cls/transactional-adapter-typeorm";
import { ClsModule } from "nestjs-cls";
import type { DataSource, EntityManager } from "typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { clientOptions } from "../database";
import { record } from "../record";
import { assertTakesPart } from "./take-part";

const service = new TaskRunStateService();

@Injectable()
class Host {
  constructor(
    @InjectDataSource() readonly dataSource: DataSource,
    @InjectEntityManager() readonly injected: EntityManager,
    @InjectTransaction() readonly proxy: EntityManager,
    @Inject(TransactionHost) readonly txHost: TransactionHost<TransactionalAdapterTypeOrm>,
  ) {}
}

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: "postgres",
      url: process.env.DATABASE_URL ?? "",
      extra: clientOptions,
      entities: [TaskRunState],
      migrations,
      migrationsRun: true,
    }),
    ClsModule.forRoot({
      plugins: [
        new ClsPluginTransactional({
          adapter: new TransactionalAdapterTypeOrm({ dataSourceToken: getDataSourceToken() }),
          enableTransactionProxy: true,
        }),
      ],
    }),
  ],
  providers: [Host],
})
class AppModule {}

/** Checks each manager that a host can hold under nestjs-cls. */
async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: ["error"],
    abortOnError: false,
  });
  const { dataSource, injected, proxy, txHost } = app.get(Host);
  for (const manager of [() => txHost.tx, () => proxy]) {
    await assertTakesPart({
      dataSource,
      run: (propagation, work) => txHost.withTransaction(propagation as Propagation, work),
      hasSavepoints: true,
      transaction: () => txHost.tx,
      manager,
    });
  }

  // NestJS's own manager knows nothing of the library, neither in `find` nor in the service.
  const deleted = await record(injected);
  const rollback = new Error("Roll back");
  const transaction = txHost.withTransaction(async () => {
    const { id } = await record(txHost.tx);
    equal(await injected.findOneBy(TaskRunState, { id }), null);
    equal(await service.readTaskRunState(injected, id), null);
    equal(await service.deleteTaskRunState(injected, deleted.id), true);
    throw rollback;
  });
  await rejects(transaction, rollback);
  equal(await service.readTaskRunState(injected, deleted.id), null);
  await app.close();
}

main();
