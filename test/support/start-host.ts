import { once } from "node:events";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { migrate } from "../../examples/host/migrate";

/** Starts as a host does, when its parent says so, and reports what came of it. */
async function main(): Promise<void> {
  const locked = process.argv[2] === "locked";
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
    migrations,
    migrationsRun: !locked,
  });
  process.send?.("ready");
  await once(process, "message");
  try {
    await dataSource.initialize();
    if (locked) await migrate(dataSource);
    process.send?.("started");
  } catch (error) {
    process.send?.((error as Error).message);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    process.disconnect();
  }
}

main();
