import { DataSource } from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { record } from "./record";

const CALLERS = 4;

/** Records states of the task run that the argument names, and prints the id of each that it can read, until SIGTERM. */
async function main(taskRunId: string): Promise<void> {
  const service = new TaskRunStateService();
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
  });
  const { manager } = await dataSource.initialize();

  let stopped = false;
  process.once("SIGTERM", () => {
    stopped = true;
  });
  const keepRecording = async () => {
    while (!stopped) {
      const { id } = await record(manager, { taskRunId });
      const state = await service.readTaskRunState(manager, id);
      console.log(state?.id);
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, keepRecording));
  await dataSource.destroy();
}

main(process.argv[2] ?? "");
