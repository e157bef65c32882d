import type { AddressInfo } from "node:net";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { CreateTaskRun1795219200000 } from "../host/1795219200000-CreateTaskRun";
import { hint } from "../host/hint";
import { migrate } from "../host/migrate";
import { TaskRun } from "../host/task-run";
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

  const app = createApp(dataSource.manager);
  const server = app.listen(Number(PORT), "127.0.0.1", (error) => {
    if (error) throw error;
    const address = server.address() as AddressInfo;
    console.log(hint(`http://127.0.0.1:${address.port}`));
  });
  // Requests in progress are answered before the connections to the database close.
  process.once("SIGTERM", () => server.close(() => dataSource.destroy()));
}

main();
