import type { JsonValue } from "../entities/json-value";
import { nameOfClass } from "./arguments";

/** How many objects and arrays may stand in each other: PostgreSQL takes a few thousand. A circle ends here too. */
const DEEPEST = 1000;

/**
 * A copy of a value as JSON holds it, so that whoever changes one does not change the other.
 *
 * @throws {TypeError} when JSON would leave out a part of it, or write something else for it.
 * @throws {RangeError} when it has a text that PostgreSQL cannot store.
 */
export function toJson(parameter: string, value: unknown): JsonValue {
  const json = copy(parameter, value, 0);
  if (json === undefined) throw noJson(parameter);
  return json;
}

/** The same of an object. */
export function toJsonObject(parameter: string, value: unknown): object {
  const json = toJson(parameter, value);
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new TypeError(`${parameter} must be an object, but received ${nameOfClass(value)}.`);
  }
  return json;
}

function copy(parameter: string, value: unknown, depth: number): JsonValue | undefined {
  if (typeof value === "string") {
    assertText(parameter, value);
    return value;
  }
  if (value === null || value === undefined || typeof value === "boolean") return value;
  if (Number.isFinite(value)) return value as number;
  if (depth === DEEPEST) throw noJson(parameter);
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return copy(parameter, toJSON.call(value), depth + 1);
  if (Array.isArray(value)) return value.map((element) => copy(parameter, element, depth + 1));
  if (typeof value !== "object" || isMoreThanItsProperties(value)) throw noJson(parameter);
  const properties: Record<string, unknown> = { ...value };
  for (const key of Object.keys(properties)) {
    assertText(parameter, key);
    properties[key] = copy(parameter, properties[key], depth + 1);
  }
  return properties;
}

/** A `Map` and a `Set`, of which JSON makes `{}`, and objects of `String`, `Number` and `Boolean`. */
function isMoreThanItsProperties(value: object): boolean {
  return Symbol.iterator in value || value instanceof Number || value instanceof Boolean;
}

export function assertText(parameter: string, value: unknown): asserts value is string {
  if (typeof value !== "string") {
    throw new TypeError(`${parameter} must be a string, but received ${nameOfClass(value)}.`);
  }
  if (!value.isWellFormed() || value.includes("\0")) {
    throw new RangeError(
      `${parameter} holds U+0000 or half of a surrogate pair, which PostgreSQL cannot store as text.`,
    );
  }
}

function noJson(parameter: string): TypeError {
  return new TypeError(
    `${parameter} must be what JSON can hold, without functions, symbols, BigInts, NaN, infinite numbers, Maps, Sets, ` +
      `circles and more than ${DEEPEST} levels.`,
  );
}
