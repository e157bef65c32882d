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
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { clientOptions } from "../database";
import { report } from "./scenarios";

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

/** Reports on each manager that a host can hold under nestjs-cls. */
async function main(): Promise<void> {
  const app = await NestFactory.createApplicationContext(AppModule, {
    logger: ["error"],
    abortOnError: false,
  });
  const { dataSource, injected, proxy, txHost } = app.get(Host);
  const managers = { "txHost.tx": () => txHost.tx, proxy: () => proxy, injected: () => injected };
  const reports: Record<string, unknown> = {};
  for (const [name, manager] of Object.entries(managers)) {
    reports[name] = await report({
      dataSource,
      run: (propagation, work) => txHost.withTransaction(propagation as Propagation, work),
      transaction: () => txHost.tx,
      manager,
    });
  }
  await app.close();
  console.log(JSON.stringify(reports));
}

main();
