import { Client } from "pg";
import { DataSource, type EntityManager, In, type Repository } from "typeorm";
import {
  InvalidUuidError,
  type JsonValue,
  migrations,
  type PruneOptions,
  type PruneStep,
  type StateDetails,
  StateType,
  TaskRunState,
  TaskRunStateService,
  TERMINAL_STATE_TYPES,
  withPreparedStatements,
} from "typeorm-task-run-state";

/**
 * What hosts write, as far as a compiler can tell whether they may. Nothing of it runs. No minor version may break a line of
 * it: a literal with all properties of today, and a record with all types, must compile with every later one.
 */

export const dataSource: DataSource = new DataSource({
  type: "postgres",
  url: "postgres://localhost/host",
  entities: [TaskRunState],
  migrations: [...migrations],
  extra: { Client: withPreparedStatements(Client) },
});

declare const manager: EntityManager;
declare const taskRunId: string;

/** An interface has no index signature, unlike `StateDetails`: a spread makes it an object that has one. */
interface OwnDetails {
  retriable: boolean;
  attempt: number;
  host?: { name: string; labels: string[] };
}
interface OwnData {
  rows: number;
}

export async function record(details: OwnDetails, data: OwnData, json: string): Promise<void> {
  await manager.insert(TaskRunState, manager.create(TaskRunState, { taskRunId, type: "PENDING" }));
  const states = [
    manager.create(TaskRunState, { taskRunId, type: StateType.RUNNING, stateDetails: { ...details }, data }),
    manager.create(TaskRunState, { taskRunId, type: "FAILED", data: [data], message: "It failed." }),
    manager.create(TaskRunState, { taskRunId, type: "PENDING", data: { rows: [1, "two", null] } }),
    manager.create(TaskRunState, { taskRunId, type: "PENDING", stateDetails: { attempt: 1, tags: ["a"] } }),
    manager.create(TaskRunState, { taskRunId, ...JSON.parse(json) }),
    manager.create(TaskRunState, JSON.parse(json) as { taskRunId: string; type: StateType }),
  ];
  await manager.insert(TaskRunState, states);
  await manager.save(states);
}

export async function recordPlainObjects(repository: Repository<TaskRunState>, details: OwnDetails) {
  const state = { taskRunId, type: StateType.RUNNING, name: "Running" };
  await manager.insert(TaskRunState, state);
  await manager.insert(TaskRunState, { ...state, type: "RUNNING", stateDetails: { ...details } });
  await manager.upsert(TaskRunState, [state], ["id"]);
  await manager.save(TaskRunState, { ...state, data: details });
  await repository.insert([state, { ...state, data: details }]);
  await repository.save({ ...state, stateDetails: { ...details } });
  await manager.createQueryBuilder().insert().into(TaskRunState).values(state).execute();
  await manager.update(TaskRunState, { taskRunId }, { name: "Renamed", message: null });
}

/** In the test of a host. */
export const literal: TaskRunState = {
  id: "019abd2c-7e00-7000-8000-000000000000",
  created: new Date(0),
  updated: new Date(0),
  type: "RUNNING",
  timestamp: new Date(0),
  name: "Running",
  message: null,
  stateDetails: { retriable: true, attempt: 1 },
  data: { rows: 1 },
  taskRunId: "019abd2c-7e00-7000-8000-000000000001",
  resultArtifactId: null,
};
export const instance = Object.assign(new TaskRunState(), literal);
export const stored: TaskRunState = JSON.parse("{}");
export const part: Partial<TaskRunState> = { name: "Running" };

export const options: PruneOptions = { before: new Date(0), batch: 1, after: taskRunId, dryRun: true };
export const step: PruneStep = { taskRunsSeen: 1, taskRuns: 1, states: 2, after: taskRunId };

/** What a test gives to the class under test instead of the service. */
export const double: TaskRunStateService = {
  readTaskRunState: async () => literal,
  readTaskRunStates: async () => [literal],
  deleteTaskRunState: async () => true,
};
export class Double implements TaskRunStateService {
  readTaskRunState = async (_manager: EntityManager, id: string) => ({ ...literal, id });
  readTaskRunStates = async () => [];
  deleteTaskRunState = async () => false;
}
export class Logged extends TaskRunStateService {
  override async readTaskRunState(manager: EntityManager, id: string) {
    const state = await super.readTaskRunState(manager, id);
    console.log(state?.name);
    return state;
  }
}

export async function read(service: TaskRunStateService): Promise<string> {
  const state: TaskRunState | null = await service.readTaskRunState(manager, taskRunId);
  const states: TaskRunState[] = await service.readTaskRunStates(manager, taskRunId);
  const deleted: boolean = await service.deleteTaskRunState(manager, taskRunId);
  const due: string | null | undefined = state?.stateDetails.scheduled_time;
  const attempt: JsonValue | undefined = state?.stateDetails.attempt;
  const details = state?.stateDetails as OwnDetails | undefined;
  const data = state?.data as OwnData | null;
  return `${states.length} ${deleted} ${due} ${attempt} ${details?.attempt} ${data?.rows}`;
}

export async function find(repository: Repository<TaskRunState>): Promise<TaskRunState[]> {
  await repository.countBy({ taskRunId, type: "FAILED" });
  await repository.find({
    where: { type: In(["FAILED", "CRASHED"]) },
    order: { timestamp: "DESC" },
    take: 1,
  });
  return repository.find({
    where: { type: In([...TERMINAL_STATE_TYPES]) },
    select: { id: true, name: true },
  });
}

const colors: Record<StateType, string> = {
  SCHEDULED: "yellow",
  PENDING: "gray",
  RUNNING: "blue",
  COMPLETED: "green",
  FAILED: "red",
  CANCELLED: "gray",
  CRASHED: "orange",
  PAUSED: "gray",
  CANCELLING: "gray",
};
export const colorOf = ({ type }: TaskRunState): string => colors[type];
export const active: StateType[] = [StateType.PENDING, "RUNNING"];
export const isActive = ({ type }: TaskRunState): boolean => active.includes(type);
export const isStateType = (text: string): text is StateType => text in StateType;

export function statusOf(type: StateType): number {
  switch (type) {
    case StateType.COMPLETED:
      return 0;
    case "FAILED":
      return 1;
    default:
      return TERMINAL_STATE_TYPES.has(type) ? 2 : 3;
  }
}

export function describe(error: unknown): string {
  if (!(error instanceof InvalidUuidError)) return "unknown";
  const { code, parameter, received }: { code: "ERR_INVALID_UUID"; parameter: string; received: string } =
    error;
  return `${code} ${parameter} ${received}`;
}

/** Types of a host's own that are made of those of the package. */
export type NewState = Pick<TaskRunState, "taskRunId" | "type"> &
  Partial<Pick<TaskRunState, "name" | "message">>;
export interface OwnState extends Omit<TaskRunState, "stateDetails"> {
  stateDetails: StateDetails & OwnDetails;
}
export const create = (state: NewState): TaskRunState => manager.create(TaskRunState, state);
export const own: OwnState = { ...literal, stateDetails: { retriable: true, attempt: 1 } };
