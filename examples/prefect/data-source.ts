import { DataSource } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { preciseTypes } from "./precise-date.js";

/** The tables are Prefect's own: there are no migrations, and `synchronize` must never be set. */
export function createDataSource(url: string): DataSource {
  return new DataSource({ type: "postgres", url, entities: [TaskRunState], extra: { types: preciseTypes } });
}
