const { deepEqual } = require("node:assert/strict");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { PgInstrumentation } = require("@opentelemetry/instrumentation-pg");
const { TypeormInstrumentation } = require("@opentelemetry/instrumentation-typeorm");
const {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} = require("@opentelemetry/sdk-trace-node");

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [new PgInstrumentation(), new TypeormInstrumentation()] });

// Both have to be loaded after that.
const { Client } = require("pg");
const { DataSource } = require("typeorm");
const {
  migrations,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} = require("typeorm-task-run-state");

/** The names of the spans of the three methods and of TypeORM's own `count`, without those of the pool. */
async function spansOfCalls(extra) {
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
    extra,
  });
  const { manager } = await dataSource.initialize();
  const id = "019abd2c-7e00-7000-8000-000000000000";
  const service = new TaskRunStateService();
  exporter.reset();
  await service.readTaskRunState(manager, id);
  await service.readTaskRunStates(manager, id);
  await service.deleteTaskRunState(manager, id);
  await manager.count(TaskRunState);
  await dataSource.destroy();
  const names = exporter.getFinishedSpans().map(({ name }) => name);
  return names
    .filter((name) => !name.startsWith("pg-pool"))
    .map((name) => name.replace(/ opentelemetry$/, ""));
}

async function main() {
  const own = ["pg.query:SELECT", "count task_run_state"];
  deepEqual(await spansOfCalls({}), ["pg.query:SELECT", "pg.query:SELECT", "pg.query:DELETE", ...own]);

  const prepared = await spansOfCalls({ Client: withPreparedStatements(Client) });
  deepEqual(prepared, [
    ...["read", "list", "delete"].map((call) =>
      prepared.find((name) => name.startsWith(`pg.query:task_run_state_${call}_`)),
    ),
    ...own,
  ]);
  deepEqual(await spansOfCalls({ Client: withPreparedStatements(Client) }), prepared);
}

main();
