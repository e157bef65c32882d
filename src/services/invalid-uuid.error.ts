const EXCERPT_LENGTH = 40;

/** An id that is not a UUID. It is thrown before any SQL is sent: a transaction in progress stays usable. */
export class InvalidUuidError extends TypeError {
  override readonly name = "InvalidUuidError";
  /** Tells this error where `instanceof` cannot: when another copy of this package threw it. */
  readonly code = "ERR_INVALID_UUID";
  /** The kind of value received instead: what `typeof` says, or `"null"`, or `"array"`. */
  readonly received: string;

  constructor(
    /** The parameter that was to hold the id, such as `"taskRunStateId"`. */
    readonly parameter: string,
    value: unknown,
  ) {
    super(
      `${parameter} must be a UUID string such as "019abd2c-7e00-7000-8000-000000000000", ` +
        `but received ${describe(value)}.`,
    );
    this.received = typeName(value);
  }
}

function typeName(value: unknown): string {
  if (value === null) return "null";
  return Array.isArray(value) ? "array" : typeof value;
}

/** A received value in a message; of a string no more than its beginning, and nothing that may be a connection string. */
export function describe(value: unknown): string {
  if (typeof value !== "string") return typeName(value);
  if (value.includes("://")) return `string of ${value.length} characters`; // It may be a connection string.
  if (value.length <= EXCERPT_LENGTH) return `string ${JSON.stringify(value)}`;
  return `string ${JSON.stringify(`${value.slice(0, EXCERPT_LENGTH)}…`)} of ${value.length} characters`;
}
