import { type DataSource, type EntityManager, EntityMetadataNotFoundError } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";
import { dataSourceOf } from "./data-source-of";
import { InvalidUuidError } from "./invalid-uuid.error";

/**
 * Goes by TypeORM's own mark instead of `instanceof`, as TypeORM does: a proxy that forwards to an entity manager,
 * such as a transactional one, and a manager of another copy of TypeORM are entity managers too.
 */
export function assertManager(value: unknown): asserts value is EntityManager {
  const manager = value as EntityManager | null | undefined;
  if (manager?.["@instanceof"] !== Symbol.for("EntityManager")) {
    throw new TypeError(
      "manager must be TypeORM's EntityManager, such as dataSource.manager or the one that a transaction " +
        `passes to its callback, but received ${nameOfClass(value)}.`,
    );
  }
  const dataSource = dataSourceOf(manager);
  if (!dataSource.hasMetadata(TaskRunState)) throw unregistered(dataSource);
}

/** For a message, which never holds the value itself: a caller may have passed a connection string. */
export function nameOfClass(value: unknown): string {
  if (value === null || value === undefined) return String(value);
  return value.constructor?.name || typeof value;
}

function unregistered({ entityMetadatas }: DataSource): EntityMetadataNotFoundError {
  const error = new EntityMetadataNotFoundError(TaskRunState);
  error.message += entityMetadatas.some(({ givenTableName }) => givenTableName === "task_run_state")
    ? " The data source has another class for its table, such as the TaskRunState of another copy of this package: take" +
      ' entity, migrations and service from one copy. "npm ls typeorm-task-run-state" lists the copies.'
    : " Add TaskRunState to the entities of the data source that the manager belongs to, and initialize it.";
  return error;
}

const UUID = /^[\da-fA-F]{8}(?:-[\da-fA-F]{4}){3}-[\da-fA-F]{12}$/;

/**
 * Checks an id as each method and function of this package does: a UUID in its canonical form, in any case and of any version.
 *
 * @param parameter what the error calls it, such as `"taskRunId"`.
 * @throws {InvalidUuidError} when it is anything else.
 */
export function assertUuid(parameter: string, value: unknown): asserts value is string {
  if (typeof value !== "string" || !UUID.test(value)) throw new InvalidUuidError(parameter, value);
}

/** Takes a `Date` for its own, as the driver does; a library's date has to be converted. */
export function assertDate(parameter: string, value: unknown): asserts value is Date {
  if (!(value instanceof Date)) {
    throw new TypeError(`${parameter} must be a Date, but received ${nameOfClass(value)}.`);
  }
  if (Number.isNaN(value.getTime())) throw new RangeError(`${parameter} must be a valid Date.`);
}

export function assertBoolean(parameter: string, value: unknown): asserts value is boolean {
  if (typeof value !== "boolean") {
    throw new TypeError(`${parameter} must be true or false, but received ${nameOfClass(value)}.`);
  }
}

export function assertCount(parameter: string, value: unknown): asserts value is number {
  const expected = `${parameter} must be a whole number from 1 on`;
  if (typeof value !== "number") throw new TypeError(`${expected}, but received ${nameOfClass(value)}.`);
  if (!(Number.isSafeInteger(value) && value > 0))
    throw new RangeError(`${expected}, but received ${value}.`);
}

export function assertArray(parameter: string, value: unknown): asserts value is readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new TypeError(`${parameter} must be an array, but received ${nameOfClass(value)}.`);
  }
}
