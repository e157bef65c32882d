/** What counts as equal. A run prints these lines. */
export const NORMALISATIONS = [
  "one instant in two spellings, to the microsecond: Z or +00:00, with or without the zeros of a fraction",
  "two orders of the keys inside state_details and data: jsonb keeps none",
  "two numbers that JavaScript reads as one",
  "parsed state_details: a key that the row lacks and the default that Prefect gives it; a key that Prefect does not know is compared with the row alone",
  "the words by which a malformed query is refused, and in Prefect 2 their types",
  "the refusal of a malformed id in the path of Prefect 2, 422, and that of Prefect 3 and the host, 404",
];

/** A state as JSON, its keys spelled as the columns are. */
export type StateJson = Record<string, unknown>;

const TIMES = [
  "timestamp",
  "created",
  "updated",
  "state_details.scheduled_time",
  "state_details.cache_expiration",
  "state_details.pause_timeout",
];

/** Where the two differ, a line each. */
export function differences(ours: unknown, original: unknown, path = ""): string[] {
  if (isObject(ours) && isObject(original) && Array.isArray(ours) === Array.isArray(original)) {
    const keys = new Set([...Object.keys(ours), ...Object.keys(original)]);
    return [...keys].flatMap((key) =>
      differences(ours[key], original[key], path === "" ? key : `${path}.${key}`),
    );
  }
  const isTime = TIMES.includes(path) && typeof ours === "string" && typeof original === "string";
  const equal = isTime ? microseconds(ours) === microseconds(original) : Object.is(ours, original);
  return equal ? [] : [`${path}: ${JSON.stringify(ours)} instead of ${JSON.stringify(original)}`];
}

/** The state with `state_details` as Prefect parses them: with its keys, and its defaults for those that are missing. */
export function parsed(state: StateJson, defaultDetails: object): StateJson {
  const stored = state.state_details as Record<string, unknown>;
  const details = Object.entries(defaultDetails).map(([key, value]) => [
    key,
    key in stored ? stored[key] : value,
  ]);
  return { ...state, state_details: Object.fromEntries(details) };
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null;

/** Since 1970. A `Date` would cut them to milliseconds. */
function microseconds(time: string): number {
  const fraction = /\.(\d+)/.exec(time)?.[1] ?? "";
  return Date.parse(time.replace(`.${fraction}`, "")) * 1000 + Number(fraction.padEnd(6, "0"));
}
