import type { Express } from "express";
import type { DataSource, EntityManager } from "typeorm";
import type * as library from "typeorm-task-run-state";

/** What a fragment in the documents may use as if it were imported and declared above it. */
declare global {
  const dataSource: DataSource;
  const manager: EntityManager;
  const service: library.TaskRunStateService;
  const app: Express;
  const taskRunId: string;
  const taskRunStateId: string;

  const TaskRunState: typeof library.TaskRunState;
  type TaskRunState = library.TaskRunState;
  const TaskRunStateService: typeof library.TaskRunStateService;
  type TaskRunStateService = library.TaskRunStateService;
  const StateType: typeof library.StateType;
  type StateType = library.StateType;
  type StateDetails = library.StateDetails;
  const InvalidUuidError: typeof library.InvalidUuidError;
  type InvalidUuidError = library.InvalidUuidError;
  const migrations: typeof library.migrations;
}
