import type { EntityMetadata } from "typeorm";

import type { JsonValue } from "../entities/json-value";
import type { StateDetails } from "../entities/state-details";
import { StateType } from "../entities/state-type";
import { TaskRunState } from "../entities/task-run-state.entity";
import { assertUuid, nameOfClass } from "./arguments";
import { describe } from "./invalid-uuid.error";
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

/** A checked state as PostgreSQL takes it, with JSON as text. */
export interface NewRow {
  readonly id: string | undefined;
  readonly type: StateType;
  readonly timestamp: string | undefined;
  readonly name: string | undefined;
  readonly message: string | null | undefined;
  readonly stateDetails: string;
  readonly data: string | null;
  readonly taskRunId: string;
  readonly resultArtifactId: string | null | undefined;
  /** Whether it has more, which a host has added to the entity. */
  readonly hasMore: boolean;
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
  const { stateDetails, data } = toRow(place, state);
  if (state.timestamp instanceof Date) state.timestamp = new Date(state.timestamp);
  if (state.stateDetails) state.stateDetails = JSON.parse(stateDetails);
  if (data !== null) state.data = JSON.parse(data);
  return state;
}

/** Checks every property; `place` says in a message which state is meant. */
export function toRow(place: string, state: TaskRunState): NewRow {
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
  return {
    id,
    type,
    timestamp: timestamp === undefined ? timestamp : toTimestamptz(`${place}.timestamp`, timestamp),
    name,
    message,
    stateDetails: stateDetails === undefined ? "{}" : toJsonObject(`${place}.stateDetails`, stateDetails),
    data: isNone(data) ? null : toJson(`${place}.data`, data),
    taskRunId,
    resultArtifactId,
    hasMore: Object.values(more).some((value) => value !== undefined),
  };
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

function assertText(parameter: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`${parameter} must be a string, but received ${nameOfClass(value)}.`);
  }
  if (/[\0\p{Surrogate}]/u.test(value)) throw unstorable(parameter);
}

function toJsonObject(parameter: string, value: unknown): string {
  const json = toJson(parameter, value);
  if (!json.startsWith("{")) {
    throw new TypeError(`${parameter} must be an object, but received ${nameOfClass(value)}.`);
  }
  return json;
}

function toJson(parameter: string, value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value);
  } catch (cause) {
    throw noJson(parameter, cause);
  }
  if (json === undefined || losesParts(value)) throw noJson(parameter);
  // JSON has both as escapes; after an escaped backslash, u is a letter.
  if (/\\u(?:0000|d[89a-f])/.test(json.split("\\\\").join())) throw unstorable(parameter);
  return json;
}

/** Whether JSON leaves out a part without a word, or writes null for it. */
function losesParts(value: unknown): boolean {
  if (typeof value === "number") return !Number.isFinite(value);
  if (typeof value !== "object" || value === null)
    return typeof value === "function" || typeof value === "symbol";
  return !("toJSON" in value) && Object.values(value).some(losesParts);
}

function noJson(parameter: string, cause?: unknown): TypeError {
  return new TypeError(
    `${parameter} must be what JSON can hold, without functions, symbols, BigInts, NaN, infinite numbers and circles.`,
    { cause },
  );
}

function unstorable(parameter: string): RangeError {
  return new RangeError(
    `${parameter} holds U+0000 or half of a surrogate pair, which PostgreSQL cannot store as text.`,
  );
}
