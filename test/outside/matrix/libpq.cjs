const { deepEqual, equal, rejects } = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const { native } = require("pg");
const { DataSource } = require("typeorm");
const {
  migrations,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
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
    const state = await recordTaskRunState(manager, { taskRunId: randomUUID(), type: StateType.RUNNING });
    const { taskRunId } = state;
    const [last] = await recordTaskRunStates(manager, [
      { taskRunId, type: StateType.COMPLETED, data: ["é"] },
    ]);
    deepEqual(await readLatestTaskRunStates(manager, [taskRunId]), new Map([[taskRunId, last]]));
    deepEqual(await service.readTaskRunState(manager, state.id), state);
    deepEqual(await service.readTaskRunStates(manager, taskRunId), [state, last]);
    equal(await service.deleteTaskRunState(manager, state.id), true);
  };
  const prepared = () =>
    dataSource.query("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time");
  const verbs = async () => (await prepared()).map(({ statement }) => statement.split(" ")[0]);

  deepEqual(await verbs(), []);
  await callEachMethod(dataSource.manager);
  await dataSource.transaction(callEachMethod);
  deepEqual(await verbs(), ["INSERT", "INSERT", "SELECT", "SELECT", "SELECT", "DELETE"]);

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
