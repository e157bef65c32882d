import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

/** What a host must not do with a database of Prefect's: it registers the migrations. */
export default new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL ?? "",
  entities: [TaskRunState],
  migrations,
});
