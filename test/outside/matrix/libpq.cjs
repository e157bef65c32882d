const { deepEqual, rejects } = require("node:assert/strict");
const { native } = require("pg");
const { DataSource } = require("typeorm");
const { migrations, TaskRunState, withPreparedStatements } = require("typeorm-task-run-state");
const { useModule } = require("./use-module.cjs");

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
  const prepared = () =>
    dataSource.query("SELECT statement FROM pg_prepared_statements ORDER BY prepare_time");
  const verbs = async () => (await prepared()).map(({ statement }) => statement.split(" ")[0]);

  deepEqual(await verbs(), []);
  await useModule(dataSource.manager);
  await dataSource.transaction(useModule);
  deepEqual(await verbs(), ["INSERT", "INSERT", "SELECT", "SELECT", "SELECT", "DELETE"]);

  await dataSource.query("DISCARD ALL");
  await useModule(dataSource.manager);
  deepEqual(await verbs(), []);
  await dataSource.destroy();

  await dataSource.initialize();
  await useModule(dataSource.manager);
  await dataSource.query("DISCARD ALL");
  await rejects(dataSource.transaction(useModule), ({ driverError }) => driverError.code === "26000");
  await useModule(dataSource.manager);
  await dataSource.transaction(useModule);
  deepEqual(await verbs(), []);
  await dataSource.destroy();
}

main();
