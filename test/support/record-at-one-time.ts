import { DataSource } from "typeorm";
import { recordTaskRunState, TaskRunState } from "typeorm-task-run-state";

/** Records states of the task run that the argument names, all with one timestamp, and prints their ids. */
async function main(taskRunId: string): Promise<void> {
  const url = process.env.DATABASE_URL ?? "";
  const dataSource = await new DataSource({ type: "postgres", url, entities: [TaskRunState] }).initialize();
  const timestamp = "2026-11-22T10:53:01.709Z";
  for (let count = 0; count < 20; count++) {
    const { id } = await recordTaskRunState(dataSource.manager, { taskRunId, type: "RUNNING", timestamp });
    console.log(id);
  }
  await dataSource.destroy();
}

main(process.argv[2] ?? "");
