import type { EntityMetadata } from "typeorm";

import type { JsonValue } from "../entities/json-value";
import type { StateDetails } from "../entities/state-details";
import { StateType } from "../entities/state-type";
import { TaskRunState } from "../entities/task-run-state.entity";
import { assertUuid, nameOfClass } from "./arguments";
import { describe } from "./invalid-uuid.error";
import { assertText, toJson, toJsonObject } from "./json";
import { toTimestamptz } from "./timestamptz";

/** What there is to say of a state that is to be recorded. A property that is missing or undefined gets its default. */
export interface NewTaskRunState {
  /** The task run that enters this state: a UUID. */
  taskRunId: string;
  type: StateType;
  /** A UUID; unless set, of version 7. */
  id?: string | undefined;
  /** A `Date`, or an ISO 8601 instant with its offset, which keeps its microseconds; unless set, PostgreSQL's clock. */
  timestamp?: Date | string | undefined;
  /** Unless set, the type in title case, such as `Running`. */
  name?: string | undefined;
  message?: string | null | undefined;
  /** Unless set, `{}`; a `SCHEDULED` state without a scheduled time gets the time of insertion. */
  stateDetails?: StateDetails | undefined;
  data?: JsonValue | undefined;
  /** A UUID. */
  resultArtifactId?: string | null | undefined;
}

/** The columns that are written of a state. The rest has a default in every table. */
export const WRITTEN_COLUMNS = [
  "id",
  "type",
  "timestamp",
  "name",
  "message",
  "state_details",
  "data",
  "task_run_id",
  "result_artifact_id",
] as const satisfies (keyof NewRow)[];
export type WrittenColumn = (typeof WRITTEN_COLUMNS)[number];

/** A checked state by the names of the table's columns. */
export interface NewRow {
  readonly id: string | undefined;
  readonly type: StateType;
  readonly timestamp: string | undefined;
  readonly name: string | undefined;
  readonly message: string | null | undefined;
  readonly state_details: object;
  readonly data: JsonValue;
  readonly task_run_id: string;
  readonly result_artifact_id: string | null | undefined;
}

/**
 * The instance that is recorded. It has all properties of the entity, in their order, so that it looks as if it was read.
 * Nothing in it is the caller's own, so that a subscriber which changes it does not change that.
 */
export function createState(place: string, given: unknown, metadata: EntityMetadata): TaskRunState {
  if (typeof given !== "object" || given === null) {
    throw new TypeError(`${place} must be an object, but received ${nameOfClass(given)}.`);
  }
  const values = given as Record<string, unknown>;
  for (const property of Object.keys(values)) {
    if (values[property] !== undefined && !Object.hasOwn(metadata.propertiesMap, property)) {
      throw new TypeError(`${place}.${property} is no property of TaskRunState.`);
    }
  }
  const state = new TaskRunState();
  const properties = state as unknown as Record<string, unknown>;
  for (const property in metadata.propertiesMap) {
    const isMissing = values[property] === undefined && metadata.hasRelationWithPropertyPath(property);
    if (!isMissing) properties[property] = values[property];
  }
  const { row } = checkState(place, state);
  if (state.timestamp instanceof Date) state.timestamp = new Date(state.timestamp);
  if (state.stateDetails) state.stateDetails = row.state_details as StateDetails;
  if (state.data) state.data = row.data;
  return state;
}

export interface CheckedState {
  readonly row: NewRow;
  /** Whether the state has more, which a host has added to the entity. */
  readonly hasMore: boolean;
}

/** Checks every property; `place` says in a message which state is meant. */
export function checkState(place: string, state: TaskRunState): CheckedState {
  const {
    id,
    created,
    updated,
    type,
    timestamp,
    name,
    message,
    stateDetails,
    data,
    taskRunId,
    resultArtifactId,
    ...more
  } = state;
  assertNotGiven(`${place}.created`, created);
  assertNotGiven(`${place}.updated`, updated);
  if (id !== undefined) assertUuid(`${place}.id`, id);
  assertUuid(`${place}.taskRunId`, taskRunId);
  if (!isNone(resultArtifactId)) assertUuid(`${place}.resultArtifactId`, resultArtifactId);
  assertType(`${place}.type`, type);
  if (name !== undefined) assertText(`${place}.name`, name);
  if (!isNone(message)) assertText(`${place}.message`, message);
  const row = {
    id,
    type,
    timestamp: timestamp === undefined ? timestamp : toTimestamptz(`${place}.timestamp`, timestamp),
    name,
    message,
    state_details: stateDetails === undefined ? {} : toJsonObject(`${place}.stateDetails`, stateDetails),
    data: isNone(data) ? null : toJson(`${place}.data`, data),
    task_run_id: taskRunId,
    result_artifact_id: resultArtifactId,
  };
  return { row, hasMore: Object.values(more).some((value) => value !== undefined) };
}

function assertNotGiven(parameter: string, value: unknown): void {
  if (value !== undefined) throw new TypeError(`${parameter} is set by PostgreSQL, and never given.`);
}

function isNone(value: unknown): value is null | undefined {
  return value === null || value === undefined;
}

function assertType(parameter: string, value: unknown): asserts value is StateType {
  if (typeof value === "string" && Object.hasOwn(StateType, value)) return;
  const types = Object.keys(StateType).join(", ");
  throw new TypeError(`${parameter} must be one of ${types}, but received ${describe(value)}.`);
}
