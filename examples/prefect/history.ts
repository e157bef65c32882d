/**
 * Draws the history of a task run from the database of a Prefect server: `npm run prefect:history -w examples -- [id]`.
 * Without an id it is that of the task run with the newest state.
 */
import type { EntityManager } from "typeorm";
import { InvalidUuidError, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { printHeading, printTimeline } from "../terminal";
import { connect } from "./connect";

async function main(): Promise<void> {
  const dataSource = await connect();
  try {
    await draw(dataSource.manager, process.argv[2]);
  } catch (error) {
    if (!(error instanceof InvalidUuidError)) throw error;
    console.error(error.message);
    process.exitCode = 1;
  } finally {
    await dataSource.destroy();
  }
}

async function draw(manager: EntityManager, given: string | undefined): Promise<void> {
  const taskRunId = given ?? (await newestTaskRunId(manager));
  if (!taskRunId) return console.log("There are no states yet.");
  const states = await new TaskRunStateService().readTaskRunStates(manager, taskRunId);
  if (states.length === 0) return console.log(`There are no states of a task run ${taskRunId}.`);
  printHeading(`Task run ${taskRunId}, from ${states[0]?.timestamp.toISOString()}`);
  printTimeline(states);
}

async function newestTaskRunId(manager: EntityManager): Promise<string | undefined> {
  const [newest] = await manager.find(TaskRunState, { order: { timestamp: "DESC" }, take: 1 });
  return newest?.taskRunId;
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
