import { once } from "node:events";
import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { migrate } from "../../examples/host/migrate";

/** Starts as a host does, when told so on standard input, and prints what came of it. */
async function main(): Promise<void> {
  const locked = process.argv[2] === "locked";
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
    migrations,
    migrationsRun: !locked,
  });
  console.log("ready");
  await once(process.stdin, "data");
  try {
    await dataSource.initialize();
    if (locked) await migrate(dataSource);
    console.log("started");
  } catch (error) {
    console.log((error as Error).message);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    process.stdin.destroy();
  }
}

main();
