const { deepEqual } = require("node:assert/strict");
const { registerInstrumentations } = require("@opentelemetry/instrumentation");
const { PgInstrumentation } = require("@opentelemetry/instrumentation-pg");
const {
  InMemorySpanExporter,
  NodeTracerProvider,
  SimpleSpanProcessor,
} = require("@opentelemetry/sdk-trace-node");

const exporter = new InMemorySpanExporter();
new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] }).register();
registerInstrumentations({ instrumentations: [new PgInstrumentation()] });

const { DataSource } = require("typeorm");
const { migrations, TaskRunState, TaskRunStateService } = require("typeorm-task-run-state");

/** Each call of the service is one span of pg's instrumentation, which has to be there before TypeORM loads pg. */
async function main() {
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  });
  const { manager } = await dataSource.initialize();
  const id = "019abd2c-7e00-7000-8000-000000000000";
  const service = new TaskRunStateService();
  exporter.reset();
  await service.readTaskRunState(manager, id);
  await service.readTaskRunStates(manager, id);
  await service.deleteTaskRunState(manager, id);
  const statements = exporter.getFinishedSpans().map(({ name }) => /^pg\.query:(\w+)/.exec(name)?.[1]);
  deepEqual(statements.filter(Boolean), ["SELECT", "SELECT", "DELETE"]);
  await dataSource.destroy();
}

main();
