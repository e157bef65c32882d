import type { AddressInfo } from "node:net";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { CreateTaskRun1795219200000 } from "../host/1795219200000-CreateTaskRun";
import { hint, SHUTDOWN_MS } from "../host/http";
import { migrate } from "../host/migrate";
import { TaskRun } from "../host/task-run.entity";
import { createApp } from "./app";

const { DATABASE_URL = "postgres://localhost/postgres", PORT = "3000" } = process.env;

async function main(): Promise<void> {
  const dataSource = new DataSource({
    type: "postgres",
    url: DATABASE_URL,
    entities: [TaskRun, TaskRunState],
    migrations: [CreateTaskRun1795219200000, ...migrations],
  });
  await dataSource.initialize();
  await migrate(dataSource);

  const server = createApp(dataSource.manager).listen(Number(PORT), "127.0.0.1");
  server.once("listening", () => {
    const { port } = server.address() as AddressInfo;
    console.log(hint(`http://127.0.0.1:${port}`));
  });
  server.once("close", () => dataSource.destroy());
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      server.close();
      setTimeout(() => server.closeAllConnections(), SHUTDOWN_MS).unref();
      // Else a client that goes on asking on its open connection keeps the server from closing.
      server.prependListener("request", (_request, response) => response.setHeader("Connection", "close"));
    });
  }
}

main();
