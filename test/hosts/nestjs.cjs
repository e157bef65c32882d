const { deepEqual, equal } = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { dirname, join } = require("node:path");
const { Inject, Module } = require("@nestjs/common");
const { NestFactory } = require("@nestjs/core");
const { getDataSourceToken, TypeOrmModule } = require("@nestjs/typeorm");
const { getMetadataArgsStorage } = require("typeorm");
const { migrations, StateType, TaskRunState, TaskRunStateService } = require("typeorm-task-run-state");

class History {
  constructor(dataSource, states) {
    Object.assign(this, { dataSource, states });
  }
}
Inject(getDataSourceToken())(History, undefined, 0);
Inject(TaskRunStateService)(History, undefined, 1);

class AppModule {}
Module({
  imports: [
    TypeOrmModule.forRoot({
      type: "postgres",
      url: process.env.DATABASE_URL,
      autoLoadEntities: true,
      migrations,
      migrationsRun: true,
    }),
    TypeOrmModule.forFeature([TaskRunState]),
  ],
  providers: [TaskRunStateService, History],
})(AppModule);

/** A NestJS application that finds the entity by `autoLoadEntities` and injects the service as it is. */
async function main() {
  deepEqual(loadedReflectMetadata(), process.argv.slice(2));
  equal(getMetadataArgsStorage().tables.filter(({ name }) => name === "task_run_state").length, 1);
  const app = await NestFactory.createApplicationContext(AppModule, {
    abortOnError: false,
    logger: ["error"],
  });
  const { dataSource, states } = app.get(History);
  const taskRunId = randomUUID();
  await dataSource.transaction(async (manager) => {
    const { id } = await manager.save(manager.create(TaskRunState, { taskRunId, type: StateType.PENDING }));
    await manager.insert(TaskRunState, manager.create(TaskRunState, { taskRunId, type: StateType.RUNNING }));
    equal((await states.readTaskRunState(manager, id)).name, "Pending");
    const names = (await states.readTaskRunStates(manager, taskRunId)).map(({ name }) => name);
    deepEqual(names, ["Pending", "Running"]);
    equal(await states.deleteTaskRunState(manager, id), true);
  });
  equal((await states.readTaskRunStates(dataSource.manager, taskRunId)).length, 1);
  await app.close();
  equal(dataSource.isInitialized, false);
}

function loadedReflectMetadata() {
  const entryPoint = join("node_modules", "reflect-metadata", "Reflect.js");
  const files = Object.keys(require.cache).filter((file) => file.endsWith(entryPoint));
  return files.map((file) => require(join(dirname(file), "package.json")).version).sort();
}

main();
