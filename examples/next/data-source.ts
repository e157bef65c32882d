import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

const dataSource = new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL ?? "",
  entities: [TaskRunState],
  migrations,
});
export default dataSource; // for TypeORM's command line

let initialized: Promise<DataSource> | undefined;

/** Connects at the first request: Next loads this file when it builds, too. After a failure the next request tries again. */
export function getDataSource(): Promise<DataSource> {
  initialized ??= dataSource.initialize().catch((error) => {
    initialized = undefined;
    throw error;
  });
  return initialized;
}
