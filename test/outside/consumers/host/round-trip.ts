import { deepEqual, equal, ok } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { createRequire } from "node:module";
import { DataSource, getMetadataArgsStorage } from "typeorm";
import {
  InvalidUuidError,
  migrations,
  type StateDetails,
  StateType,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";

/** `@types/pg` is not installed here: the package must do without it. */
const { Client }: { Client: new (config: object) => { query(sql: string): Promise<unknown> } } =
  createRequire(`${process.cwd()}/main.js`)("pg");

/** What a host does with the package, from the empty database to the empty database. */
export async function roundTrip(): Promise<void> {
  const registered = getMetadataArgsStorage().tables.filter(({ name }) => name === "task_run_state");
  deepEqual(
    registered.map(({ target }) => target),
    [TaskRunState],
  );

  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
    migrations,
    extra: { Client: withPreparedStatements(Client) },
  });
  await dataSource.initialize();
  const { manager } = dataSource;
  const service = new TaskRunStateService();
  const taskRunId: string = randomUUID();

  const executed = await dataSource.runMigrations();
  deepEqual(
    executed.map(({ name }) => name),
    ["CreateTaskRunState1795305600000"],
  );

  const details: StateDetails = { retriable: true, attempt: 1 };
  const saved: TaskRunState = await manager.save(
    manager.create(TaskRunState, { taskRunId, type: StateType.PENDING, stateDetails: details }),
  );
  const later = [StateType.RUNNING, StateType.COMPLETED];
  await manager.insert(
    TaskRunState,
    later.map((type) => manager.create(TaskRunState, { taskRunId, type })),
  );

  const read: TaskRunState | null = await service.readTaskRunState(manager, saved.id);
  ok(read instanceof TaskRunState);
  deepEqual({ ...read }, { ...saved });
  deepEqual(read.stateDetails, details);

  const states: TaskRunState[] = await service.readTaskRunStates(manager, taskRunId);
  deepEqual(
    states.map(({ name }) => name),
    ["Pending", "Running", "Completed"],
  );

  const deleted: boolean = await service.deleteTaskRunState(manager, saved.id);
  equal(deleted, true);
  equal(await service.readTaskRunState(manager, saved.id), null);
  const error: unknown = await service.readTaskRunState(manager, "7").catch((reason) => reason);
  ok(error instanceof InvalidUuidError);
  equal(error.parameter, "taskRunStateId");

  await dataSource.undoLastMigration();
  equal(await dataSource.createQueryRunner().hasTable("task_run_state"), false);
  await dataSource.destroy();
}
