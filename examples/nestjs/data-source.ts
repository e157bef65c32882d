import { DataSource, type DataSourceOptions } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

export const options = {
  type: "postgres",
  url: process.env.DATABASE_URL ?? "",
  entities: [TaskRunState], // beside your own
  migrations, // likewise
} satisfies DataSourceOptions;

export default new DataSource(options);
