import { nameOfClass } from "./arguments";
import { describe } from "./invalid-uuid.error";

const INSTANT =
  /^(?<minute>(?:\d{4}|[+-]\d{6})-\d\d-(?<day>\d\d)T\d\d:\d\d)(?::(?<second>\d\d)(?:[.,](?<fraction>\d+))?)?(?:Z|(?<sign>[+-])(?<hours>[01]\d|2[0-3])(?::?(?<minutes>[0-5]\d))?)$/;

/** PostgreSQL has no earlier time: 24 November 4714 BC. A `Date` ends before PostgreSQL does. */
const EARLIEST = Date.UTC(-4713, 10, 24);

/**
 * The text of an instant that PostgreSQL reads alike under every DateStyle and TimeZone. A `Date` counts to the
 * millisecond, a string with all of its digits.
 *
 * @throws {TypeError} when the value is neither a `Date` nor a string.
 * @throws {RangeError} when it is an invalid `Date`, a string that is no ISO 8601 instant with its offset, or out of range.
 */
export function toTimestamptz(parameter: string, value: unknown): string {
  if (value instanceof Date) {
    if (Number.isNaN(value.getTime())) throw new RangeError(`${parameter} must be a valid Date.`);
    return format(parameter, value.getTime(), String(value.getUTCMilliseconds()).padStart(3, "0"));
  }
  if (typeof value !== "string") {
    throw new TypeError(
      `${parameter} must be a Date or an ISO 8601 string, but received ${nameOfClass(value)}.`,
    );
  }
  const parts: Record<string, string | undefined> = INSTANT.exec(value)?.groups ?? {};
  const { minute, day, second = "00", fraction = "", sign, hours, minutes = 0 } = parts;
  const wallClock = new Date(`${minute}:${second}Z`);
  // JavaScript takes 31 April for 1 May.
  if (wallClock.getUTCDate() !== Number(day)) {
    throw new RangeError(
      `${parameter} must be an ISO 8601 instant with its offset, such as "2026-11-22T10:53:01.198765Z", ` +
        `but received ${describe(value)}.`,
    );
  }
  const offset = sign ? Number(`${sign}1`) * (Number(hours) * 60 + Number(minutes)) : 0;
  return format(parameter, wallClock.getTime() - offset * 60_000, fraction);
}

function format(parameter: string, time: number, fraction: string): string {
  const date = new Date(time);
  if (!(date.getTime() >= EARLIEST)) {
    throw new RangeError(
      `${parameter} must lie between 24 November 4714 BC, where PostgreSQL's times begin, and ` +
        "13 September 275760, where JavaScript's end.",
    );
  }
  const year = date.getUTCFullYear();
  const [digits, era] = year > 0 ? [year, ""] : [1 - year, " BC"];
  const withoutYear = date.toISOString().slice(-20, -5);
  return `${String(digits).padStart(4, "0")}${withoutYear}.${fraction}Z${era}`;
}
