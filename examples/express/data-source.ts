import { DataSource } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

export default new DataSource({
  type: "postgres",
  url: process.env.DATABASE_URL ?? "",
  entities: [TaskRunState], // beside your own
  migrations, // likewise
});
