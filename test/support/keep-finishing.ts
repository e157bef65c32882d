import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { StateType, TaskRunState } from "typeorm-task-run-state";

import { keepBusy } from "./keep-busy";

const { PENDING, RUNNING, COMPLETED } = StateType;

/** What a task run goes through, up to a moment's rest, and after it. */
const KINDS = {
  finished: [[PENDING, RUNNING, COMPLETED], []],
  unfinished: [[PENDING, RUNNING], []],
  resumed: [[PENDING, RUNNING, COMPLETED], [RUNNING]],
} as const;

/** Records one history after another, all of them long ago, and prints the kind and the task run of each, until SIGTERM. */
keepBusy(async (manager) => {
  for (const [kind, [first, later]] of Object.entries(KINDS)) {
    const taskRunId = randomUUID();
    let time = Date.UTC(2020, 0);
    const record = async (type: StateType) => {
      await manager.insert(
        TaskRunState,
        manager.create(TaskRunState, { taskRunId, type, timestamp: new Date(time++) }),
      );
    };
    for (const type of first) await record(type);
    await setTimeout(20 * Math.random());
    for (const type of later) await record(type);
    console.log(kind, taskRunId);
  }
});
