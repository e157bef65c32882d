import { TaskRunStateService } from "typeorm-task-run-state";

import { keepBusy } from "./keep-busy";
import { record } from "./record";

const taskRunId = process.argv[2] ?? "";
const service = new TaskRunStateService();

/** Records states of the task run that the argument names, and prints the id of each that it can read, until SIGTERM. */
keepBusy(async (manager) => {
  const { id } = await record(manager, { taskRunId });
  const state = await service.readTaskRunState(manager, id);
  console.log(state?.id);
});
