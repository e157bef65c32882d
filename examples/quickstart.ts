/**
 * Records a real task-run history, lists it, and reads and deletes a state: `npm start`.
 *
 * It works in a schema of its own on the server that DATABASE_URL names, and removes that schema at the end.
 */
import { randomUUID } from "node:crypto";
import { DataSource, type EntityManager } from "typeorm";
import {
  InvalidUuidError,
  migrations,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { recordedStates } from "../scripts/prefect/history";
import { migrate } from "./host/migrate";
import { printHeading, printPath, printTimeline } from "./terminal";

const RETRIED_RUN = "ffa080ba-6fcf-42ce-9ffb-54580543e41f";

const service = new TaskRunStateService();

async function main(): Promise<void> {
  const { DATABASE_URL: url = "postgres://localhost" } = process.env;
  const schema = `task_run_state_quickstart_${randomUUID().slice(0, 8)}`;
  const dataSource = new DataSource({ type: "postgres", url, schema, entities: [TaskRunState], migrations });

  const server = await new DataSource({ type: "postgres", url }).initialize();
  const removeSchema = () => server.query(`DROP SCHEMA IF EXISTS ${schema} CASCADE`);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => removeSchema().finally(() => process.exit(1)));
  }
  await createSchema(server, schema);
  try {
    await dataSource.initialize();
    await migrate(dataSource);
    await tour(dataSource);
  } finally {
    if (dataSource.isInitialized) await dataSource.destroy();
    await removeSchema();
    await server.destroy();
  }
}

async function createSchema(server: DataSource, schema: string): Promise<void> {
  try {
    await server.query(`CREATE SCHEMA ${schema}`);
  } catch (error) {
    const { message } = error as Error;
    console.error(
      `Cannot create a schema (${message}): let DATABASE_URL name a role that may, or unset it to use an embedded server.`,
    );
    process.exit(1);
  }
}

async function tour(dataSource: DataSource): Promise<void> {
  const taskRunIds = await dataSource.transaction(recordHistory);
  const count = await dataSource.manager.count(TaskRunState);
  printHeading(`Recorded ${count} states of ${taskRunIds.length} task runs in one transaction`);
  for (const taskRunId of taskRunIds) {
    printPath(taskRunId, await service.readTaskRunStates(dataSource.manager, taskRunId));
  }

  printHeading(`A run that was retried, ${RETRIED_RUN}`);
  const states = await service.readTaskRunStates(dataSource.manager, RETRIED_RUN);
  printTimeline(states);

  const [{ id }] = states.slice(-1) as [TaskRunState];
  printHeading(`Reading its last state, ${id}`);
  const state = await service.readTaskRunState(dataSource.manager, id);
  console.log(`${state?.type} at ${state?.timestamp.toISOString()}: ${state?.message}`);

  printHeading("Deleting that state");
  const isThere = async () => (await service.readTaskRunState(dataSource.manager, id)) !== null;
  const queryRunner = dataSource.createQueryRunner();
  await queryRunner.startTransaction();
  try {
    const deleted = await service.deleteTaskRunState(queryRunner.manager, id);
    console.log(`in a transaction: deleted ${deleted}, still there for others ${await isThere()}`);
  } finally {
    await queryRunner.rollbackTransaction();
    await queryRunner.release();
  }
  console.log(`rolled back: still there ${await isThere()}`);
  const deletedForGood = await service.deleteTaskRunState(dataSource.manager, id);
  console.log(`for good: deleted ${deletedForGood}, still there ${await isThere()}`);

  printHeading("Asking for a malformed id");
  try {
    await service.readTaskRunState(dataSource.manager, "42");
  } catch (error) {
    if (!(error instanceof InvalidUuidError)) throw error;
    console.log(`${error.name}: ${error.message}`);
  }
}

/** Records the states with their microseconds, and returns the ids of their task runs. */
async function recordHistory(manager: EntityManager): Promise<string[]> {
  const states = await recordTaskRunStates(
    manager,
    recordedStates.map(({ task_run_id: taskRunId, state_details: stateDetails, ...state }) => {
      const { id, type, timestamp, name, message } = state;
      return { id, taskRunId, type, timestamp, name, message, stateDetails };
    }),
  );
  return [...new Set(states.map(({ taskRunId }) => taskRunId))];
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
