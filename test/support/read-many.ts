import { randomUUID } from "node:crypto";
import { DataSource } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { clientOptions } from "./database";

/**
 * Reads as often as the argument says, half of the times a state and half of the times a list of three, and prints
 * the bytes of live memory before and after. It wants `--expose-gc` and a migrated database.
 */
async function main(): Promise<void> {
  const reads = Number(process.argv[2]);
  const service = new TaskRunStateService();
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    extra: clientOptions,
    entities: [TaskRunState],
  });
  const { manager } = await dataSource.initialize();
  const taskRunId = randomUUID();
  const states = Array.from({ length: 3 }, () =>
    manager.create(TaskRunState, { taskRunId, type: StateType.RUNNING }),
  );
  await manager.insert(TaskRunState, states);

  const read = async (times: number) => {
    let left = times;
    const reader = async () => {
      while (left-- > 0) {
        if (left % 2) await service.readTaskRunStates(manager, taskRunId);
        else await service.readTaskRunState(manager, states[left % 3]?.id ?? "");
      }
    };
    await Promise.all(Array.from({ length: 8 }, reader));
  };

  await read(5_000); // Until then compiled code and the pool grow.
  const before = liveMemory();
  await read(reads);
  const after = liveMemory();
  await dataSource.destroy();
  console.log(JSON.stringify({ before, after }));
}

function liveMemory(): number {
  if (!global.gc) throw new Error("Run node with --expose-gc.");
  global.gc();
  return process.memoryUsage().heapUsed;
}

main();
