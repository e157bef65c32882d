const { deepEqual, equal, rejects } = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { native } = require("pg");
const { DataSource } = require("typeorm");
const {
  migrations,
  StateType,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} = require("typeorm-task-run-state");

/** Prepared statements through libpq, which TypeORM takes where pg-native is installed. */
async function main() {
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
    extra: { max: 1, Client: withPreparedStatements(native.Client) },
  });
  await dataSource.initialize();
  const service = new TaskRunStateService();
  const callEachMethod = async (manager) => {
    const state = manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING });
    await manager.insert(TaskRunState, state);
    equal((await service.readTaskRunState(manager, state.id)).id, state.id);
    equal((await service.readTaskRunStates(manager, state.taskRunId)).length, 1);
    equal(await service.deleteTaskRunState(manager, state.id), true);
  };
  const prepared = () =>
    dataSource.query("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time");
  const verbs = async () => (await prepared()).map(({ statement }) => statement.split(" ")[0]);

  deepEqual(await verbs(), []);
  await callEachMethod(dataSource.manager);
  await dataSource.transaction(callEachMethod);
  deepEqual(await verbs(), ["SELECT", "SELECT", "DELETE"]);

  await dataSource.query("DISCARD ALL");
  await callEachMethod(dataSource.manager);
  deepEqual(await verbs(), []);
  await dataSource.destroy();

  await dataSource.initialize();
  await callEachMethod(dataSource.manager);
  await dataSource.query("DISCARD ALL");
  await rejects(dataSource.transaction(callEachMethod), ({ driverError }) => driverError.code === "26000");
  await callEachMethod(dataSource.manager);
  await dataSource.transaction(callEachMethod);
  deepEqual(await verbs(), []);
  await dataSource.destroy();
}

main();
