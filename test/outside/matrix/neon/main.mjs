import { equal } from "node:assert/strict";
import * as neon from "@neondatabase/serverless";
import { DataSource } from "typeorm";
import { migrations, pruneTaskRunStates, TaskRunState, withPreparedStatements } from "typeorm-task-run-state";
import { WebSocket } from "ws";
import { driver } from "./driver.mjs";
import { startProxy } from "./proxy.mjs";
import { useModule } from "./use-module.cjs";

/** Uses the module on one connection, and returns how many statements are prepared there. */
async function preparedBy(options) {
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
    ...options,
    extra: { ...options.extra, max: 1 },
  });
  await dataSource.initialize();
  await useModule(dataSource.manager);
  const prepared = await dataSource.transaction(async (manager) => {
    await useModule(manager);
    return manager.query("SELECT name FROM pg_prepared_statements");
  });
  for await (const _ of pruneTaskRunStates(dataSource.manager, { before: new Date(Date.now() + 60_000) }));
  equal(await dataSource.manager.count(TaskRunState), 0);
  await dataSource.destroy();
  return prepared.length;
}

const proxy = await startProxy();
Object.assign(neon.neonConfig, {
  webSocketConstructor: WebSocket, // Node.js 20 has none of its own.
  useSecureWebSocket: false,
  pipelineConnect: false, // The server asks for no password.
  wsProxy: (host, port) => `127.0.0.1:${proxy.address().port}/?address=${host}:${port}`,
});
equal(await preparedBy({ driver: neon }), 0);
equal(await preparedBy({ driver: neon, extra: { Client: withPreparedStatements(neon.Client) } }), 0);
equal(await preparedBy({ driver }), 6);
proxy.close();
