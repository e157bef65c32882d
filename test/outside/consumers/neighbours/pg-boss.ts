import { deepEqual, rejects } from "node:assert/strict";
import { type Db, PgBoss } from "pg-boss";
import type { EntityManager } from "typeorm";
import { recordTaskRunState, TaskRunState } from "typeorm-task-run-state";

import { connect, options, taskRunId } from "./history.js";

const dataSource = await connect();
const boss = new PgBoss(options.url ?? "");
await boss.start();
await boss.createQueue("task-runs");

/** The transaction for pg-boss. It expects rows, where `manager.query` answers an UPDATE with rows and their number. */
const within = ({ queryRunner }: EntityManager): { db: Db } => ({
  db: {
    async executeSql(sql, values) {
      const result = await queryRunner?.query(sql, values, true);
      return { rows: result?.records ?? [] };
    },
  },
});

/** Records a state and sends its job: both or neither. */
const schedule = (failure?: Error) =>
  dataSource.transaction(async (manager) => {
    await recordTaskRunState(manager, { taskRunId, type: "SCHEDULED" });
    await boss.send("task-runs", { taskRunId }, within(manager));
    if (failure) throw failure;
  });

/** Completes the next job and records it: both or neither. */
const complete = () =>
  dataSource.transaction(async (manager) => {
    for (const { id, data } of await boss.fetch<{ taskRunId: string }>("task-runs", within(manager))) {
      await recordTaskRunState(manager, { taskRunId: data.taskRunId, type: "COMPLETED" });
      await boss.complete("task-runs", id, {}, within(manager));
    }
  });

const recorded = async () => (await dataSource.manager.find(TaskRunState)).map(({ type }) => type);
await rejects(schedule(new Error("It is rolled back.")), /rolled back/);
await complete();
deepEqual(await recorded(), []);
await schedule();
await complete();
deepEqual((await recorded()).sort(), ["COMPLETED", "SCHEDULED"]);

await boss.stop();
await dataSource.destroy();
