import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { EntityManager } from "typeorm";
import { StateType, TaskRunState } from "typeorm-task-run-state";

// What PostgreSQL stores: its text has no NUL and no half of a surrogate pair.
const text = fc.string({ unit: "binary" }).map((string) => string.replaceAll("\0", ""));
const longText = fc
  .tuple(text, fc.nat(2 ** 20))
  .map(([string, length]) => string.repeat(length / (string.length || 1)));

const json = fc.letrec<{ value: fc.JsonValue; object: Record<string, fc.JsonValue> }>((tie) => ({
  value: fc.oneof(
    { depthSize: "small", withCrossShrink: true },
    fc.constantFrom(null, "", true, false),
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.maxSafeInteger(),
    fc.array(tie("value"), { maxLength: 4 }),
    tie("object"),
  ),
  object: fc.dictionary(text, tie("value"), { maxKeys: 4 }),
}));
const deepJson = fc
  .nat(400)
  .map((depth): fc.JsonValue => JSON.parse(`${'{"a":['.repeat(depth)}${"]}".repeat(depth)}` || "[]"));

const timestamp = fc.oneof(
  fc.nat(3).map((n) => new Date(Date.UTC(2026, 0, 1) + n)), // often the same
  fc.date({ noInvalidDate: true, min: new Date("0001-01-01Z"), max: new Date("9999-12-31Z") }),
);
const stateDetails = fc.oneof(
  { weight: 10, arbitrary: json.object },
  deepJson.map((deep): Record<string, fc.JsonValue> => ({ deep })),
  fc.record({ scheduled_time: fc.constantFrom(null, "", "2026-01-01T00:00:00+00:00") }),
);

/** What a host may give of a state: its type, and any of the rest. */
export const givenState = fc.record(
  {
    type: fc.constantFrom(...Object.values(StateType)),
    name: text,
    message: fc.oneof(fc.constant(null), { weight: 200, arbitrary: text }, longText),
    timestamp,
    stateDetails,
    data: fc.oneof({ weight: 20, arbitrary: json.value }, deepJson),
    resultArtifactId: fc.option(fc.uuid()),
    /** The first eight digits of an id of the host's own; the others are random each time. */
    idPrefix: fc.nat(2 ** 32 - 1).map((n) => n.toString(16).padStart(8, "0")),
  },
  { requiredKeys: ["type"] },
);
export type GivenState = typeof givenState extends fc.Arbitrary<infer T> ? T : never;

/**
 * Makes the instance that a host records. Only a state with a timestamp gets an id of the host's own: the database's
 * clock has microseconds, and within a millisecond only the ids that the entity makes rise with them.
 */
export function createGiven(manager: EntityManager, taskRunId: string, given: GivenState): TaskRunState {
  const { idPrefix, ...state } = given;
  const id = state.timestamp && idPrefix && idPrefix + randomUUID().slice(8);
  return manager.create(TaskRunState, { taskRunId, ...state, ...(id && { id }) });
}
