import { deepEqual, rejects } from "node:assert/strict";
import { makeWorkerUtils, runOnce } from "graphile-worker";
import { recordTaskRunState, TaskRunState } from "typeorm-task-run-state";

import { connect, options, taskRunId } from "./history.js";

const dataSource = await connect();
const connectionString = options.url ?? "";
const worker = await makeWorkerUtils({ connectionString });
await worker.migrate();

/** Records a state and adds its job: both or neither. */
const schedule = (fails?: Error) =>
  dataSource.transaction(async (manager) => {
    await recordTaskRunState(manager, { taskRunId, type: "SCHEDULED" });
    await manager.query("SELECT graphile_worker.add_job($1, $2::json)", ["run", { taskRunId }]);
    if (fails) throw fails;
  });

const ran: unknown[] = [];
const runJobs = () =>
  runOnce({
    connectionString,
    taskList: {
      run(payload) {
        ran.push(payload);
      },
    },
  });
await rejects(schedule(new Error("It is rolled back.")), /rolled back/);
await runJobs();
deepEqual([await dataSource.manager.count(TaskRunState), ran], [0, []]);
await schedule();
await runJobs();
deepEqual([await dataSource.manager.count(TaskRunState), ran], [1, [{ taskRunId }]]);

await worker.release();
await dataSource.destroy();
