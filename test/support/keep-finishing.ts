import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { DataSource } from "typeorm";
import { StateType, TaskRunState } from "typeorm-task-run-state";

const CALLERS = 4;
const { PENDING, RUNNING, COMPLETED } = StateType;

/** What a task run goes through, up to a moment's rest, and after it. */
const KINDS = {
  finished: [[PENDING, RUNNING, COMPLETED], []],
  unfinished: [[PENDING, RUNNING], []],
  resumed: [[PENDING, RUNNING, COMPLETED], [RUNNING]],
} as const;

/** Records one history after another, all of them long ago, and prints the kind and the task run of each, until SIGTERM. */
async function main(): Promise<void> {
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
  const keepFinishing = async () => {
    while (!stopped) {
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
    }
  };
  await Promise.all(Array.from({ length: CALLERS }, keepFinishing));
  await dataSource.destroy();
}

main();
