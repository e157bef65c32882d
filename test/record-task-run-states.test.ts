import { randomUUID } from "node:crypto";
import { type EntityManager, type EntitySubscriberInterface, type InsertEvent, IsNull } from "typeorm";
import {
  InvalidUuidError,
  type NewTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { recordOneByOne } from "./support/record-one-by-one";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;
let manager: EntityManager;

beforeAll(async () => {
  dataSource = await database.connect();
  manager = dataSource.manager;
});

type Record = (manager: EntityManager, states: NewTaskRunState[]) => Promise<TaskRunState[]>;

/** Both functions, the first of which takes one state at a time. */
const functions: [string, Record, placeOf: (index: number) => string][] = [
  ["recordTaskRunState", recordOneByOne, () => "state"],
  ["recordTaskRunStates", recordTaskRunStates, (index) => `states[${index}]`],
];

const V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** What PostgreSQL has, to the microsecond and whatever JavaScript makes of it. */
async function timesOf(taskRunId: string): Promise<string[]> {
  const rows = await manager.query(
    "SELECT to_char(timestamp AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.US BC') AS time FROM task_run_state " +
      "WHERE task_run_id = $1 ORDER BY timestamp, id",
    [taskRunId],
  );
  return rows.map(({ time }: { time: string }) => time);
}

/** As a reader gets them: what is undefined or of another class is seen. */
async function expectToReadAs(recorded: TaskRunState[]): Promise<void> {
  expect(recorded.length).toBeGreaterThan(0);
  for (const state of recorded) {
    const read = await service.readTaskRunState(manager, state.id);
    expect(state).toStrictEqual(read);
    expect(JSON.stringify(state)).toBe(JSON.stringify(read));
  }
}

describe.each(functions)("%s", (_, record, placeOf) => {
  test("a state needs a task run and a type, and comes back with all else filled in, as it is read", async () => {
    const taskRunId = randomUUID();
    const recorded = await record(manager, [
      { taskRunId, type: "RUNNING" },
      { taskRunId, type: "SCHEDULED" },
    ]);
    await expectToReadAs(recorded);
    const filledIn = {
      id: expect.stringMatching(V7),
      taskRunId,
      message: null,
      data: null,
      resultArtifactId: null,
    };
    expect(recorded).toMatchObject([
      { ...filledIn, type: "RUNNING", name: "Running", stateDetails: {} },
      {
        ...filledIn,
        type: "SCHEDULED",
        name: "Scheduled",
        stateDetails: { scheduled_time: expect.stringMatching(/Z$/) },
      },
    ]);
    expect(await service.readTaskRunStates(manager, taskRunId)).toEqual(recorded);
  });

  test("every property that is given comes back as it is read", async () => {
    const given: NewTaskRunState = {
      id: randomUUID().toUpperCase(),
      taskRunId: randomUUID().toUpperCase(),
      type: "FAILED",
      timestamp: "2026-11-22T11:53:01.198765+01:00",
      name: 'It said "no" \u001f \\u0000',
      message: "\n\u{1f600}",
      stateDetails: {
        z: 1,
        a: { nested: [undefined, -0] },
        cache_key: undefined,
        "\\ud800": "\u001f \\u0000",
      },
      data: ["text", new Date(0), null, { toJSON: () => "as JSON", call: () => {} }],
      resultArtifactId: randomUUID(),
    };
    const [state] = await record(manager, [given]);
    await expectToReadAs([state as TaskRunState]);
    expect(state).toMatchObject({
      ...given,
      id: given.id?.toLowerCase(),
      taskRunId: given.taskRunId.toLowerCase(),
      timestamp: new Date("2026-11-22T10:53:01.198Z"),
      stateDetails: { a: { nested: [null, 0] }, z: 1, "\\ud800": "\u001f \\u0000" },
      data: ["text", "1970-01-01T00:00:00.000Z", null, "as JSON"],
    });
    expect(await timesOf(given.taskRunId)).toEqual(["2026-11-22 10:53:01.198765 AD"]);
  });

  test("one statement, without BEGIN", async () => {
    const states: NewTaskRunState[] = [{ taskRunId: randomUUID(), type: "RUNNING" }];
    const { statements } = await statementsOf(dataSource, () => record(manager, states));
    expect(statements.map((sql) => sql.split(" ")[0])).toEqual(["INSERT"]);
  });

  test("states without a time list in the order of the calls, whatever their ids, beside one with a time", async () => {
    const taskRunId = randomUUID();
    const ids = Array.from({ length: 200 }, () => randomUUID());
    const start = await databaseTime();
    await manager.transaction((manager) =>
      record(manager, [
        ...ids.map((id): NewTaskRunState => ({ id, taskRunId, type: "RUNNING" })),
        { taskRunId, type: "PENDING", timestamp: new Date(start) },
      ]),
    );
    const listed = await service.readTaskRunStates(manager, taskRunId);
    expect(listed.map(({ id }) => id).slice(1)).toEqual(ids);
    expect(listed[0]).toMatchObject({ type: "PENDING", timestamp: start });
    expect(listed.at(-1)?.timestamp.getTime()).toBeLessThanOrEqual((await databaseTime()).getTime());
  });

  test("missing ids rise in the order of the array, so states of one time list in it", async () => {
    const taskRunId = randomUUID();
    const timestamp = new Date(0);
    const recorded = await record(
      manager,
      Array.from({ length: 100 }, () => ({ taskRunId, type: "RUNNING", timestamp }) as const),
    );
    expect(await service.readTaskRunStates(manager, taskRunId)).toEqual(recorded);
  });

  test("the input is never modified, also by a subscriber that changes the state, and what that changes is stored", async () => {
    const subscriber: EntitySubscriberInterface<TaskRunState> = {
      listenTo: () => TaskRunState,
      async beforeInsert({ entity }) {
        await new Promise(setImmediate);
        entity.timestamp.setUTCFullYear(2000);
        entity.name = "changed";
        Object.assign(entity.stateDetails, { changed: true });
        (entity.data as number[]).push(2);
      },
    };
    const { manager, subscribers } = await database.connect();
    subscribers.push(subscriber);
    const given = {
      taskRunId: randomUUID(),
      type: "RUNNING",
      timestamp: new Date(0),
      stateDetails: {},
      data: [1],
    } as const;
    const copy = structuredClone(given);
    const [state] = await record(manager, [given]);
    expect(given).toEqual(copy);
    await expectToReadAs([state as TaskRunState]);
    expect(state).toMatchObject({
      timestamp: new Date("2000-01-01Z"),
      name: "changed",
      stateDetails: { changed: true },
      data: [1, 2],
    });
  });

  test("what a subscriber makes of a state is checked again, and nothing is sent", async () => {
    const host = await database.connect();
    host.subscribers.push({
      listenTo: () => TaskRunState,
      beforeInsert({ entity }) {
        entity.taskRunId = "7";
      },
    });
    const { result, statements } = await statementsOf(host, () =>
      failureOf(record(host.manager, [{ taskRunId: randomUUID(), type: "RUNNING" }])),
    );
    expect(result).toBeInstanceOf(InvalidUuidError);
    expect(result).toMatchObject({ parameter: `${placeOf(0)}.taskRunId` });
    expect(statements).toEqual([]);
  });

  test("what a subscriber rejects or throws reaches the caller, and nothing else does", async () => {
    const host = await database.connect();
    const beforeInsert = ({ entity }: InsertEvent<TaskRunState>) => {
      if (entity.type === "RUNNING") throw new RangeError("thrown");
      return Promise.reject(new RangeError("rejected"));
    };
    host.subscribers.push({ listenTo: () => TaskRunState, beforeInsert });
    const unhandled = jest.fn();
    process.on("unhandledRejection", unhandled);
    const taskRunId = randomUUID();
    const states: NewTaskRunState[] = [
      { taskRunId, type: "PENDING" },
      { taskRunId, type: "RUNNING" },
    ];
    expect(await failureOf(record(host.manager, states))).toEqual(new RangeError("rejected"));
    expect(await failureOf(record(host.manager, states.slice(1)))).toEqual(new RangeError("thrown"));
    await new Promise(setImmediate);
    process.off("unhandledRejection", unhandled);
    expect(unhandled).not.toHaveBeenCalled();
  });

  test("a given id that exists is 23505, in any case of its letters, and changes nothing", async () => {
    const [stored] = await record(manager, [{ taskRunId: randomUUID(), type: "RUNNING", message: "first" }]);
    const again: NewTaskRunState = { id: stored?.id.toUpperCase(), taskRunId: randomUUID(), type: "FAILED" };
    const other: NewTaskRunState = { taskRunId: again.taskRunId, type: "PENDING" };
    const recording = manager.transaction((manager) => record(manager, [other, again]));
    expect(await sqlStateOf(recording)).toBe("23505");
    expect(await service.readTaskRunStates(manager, again.taskRunId)).toEqual([]);
    expect(await service.readTaskRunState(manager, stored?.id ?? "")).toEqual(stored);
  });

  test.each<[string, Date, string]>([
    ["the first that PostgreSQL has", new Date("-004713-11-24T00:00:00Z"), "4714-11-24 00:00:00.000000 BC"],
    ["before Christ", new Date("-000043-03-15T12:00:00.001Z"), "0044-03-15 12:00:00.001000 BC"],
    ["the year before the first", new Date("0000-12-31T23:59:59.999Z"), "0001-12-31 23:59:59.999000 BC"],
    ["the first year", new Date("0001-01-01T00:00:00Z"), "0001-01-01 00:00:00.000000 AD"],
    ["just before 1970", new Date(-1), "1969-12-31 23:59:59.999000 AD"],
    ["after the year 9999", new Date("+010000-01-02T00:00:00Z"), "10000-01-02 00:00:00.000000 AD"],
    ["the last of JavaScript", new Date(8.64e15), "275760-09-13 00:00:00.000000 AD"],
  ])("a Date is stored as it is: %s", async (_, timestamp, expected) => {
    const taskRunId = randomUUID();
    await manager.transaction(async (manager) => {
      await manager.query("SET LOCAL datestyle = 'SQL, DMY'; SET LOCAL timezone = 'Asia/Kolkata'");
      await record(manager, [{ taskRunId, type: "RUNNING", timestamp }]);
    });
    const [state] = await service.readTaskRunStates(manager, taskRunId);
    expect(state?.timestamp).toEqual(timestamp);
    expect(await timesOf(taskRunId)).toEqual([expected]);
  });

  test.each([
    ["2026-11-22T10:53:01.198765Z", "2026-11-22 10:53:01.198765 AD"],
    ["2026-11-22T10:53:01.1987654+00", "2026-11-22 10:53:01.198765 AD"],
    ["2026-11-22T10:53:01,5-0930", "2026-11-22 20:23:01.500000 AD"],
    ["2026-11-22T10:53+23:59", "2026-11-21 10:54:00.000000 AD"],
    ["2024-02-29T00:00:00Z", "2024-02-29 00:00:00.000000 AD"],
    ["+010000-01-01T00:00:00.000001+00:01", "9999-12-31 23:59:00.000001 AD"],
    ["-000001-01-01T00:00:00Z", "0002-01-01 00:00:00.000000 BC"],
  ])("the string %s is stored with its microseconds", async (timestamp, expected) => {
    const taskRunId = randomUUID();
    await record(manager, [{ taskRunId, type: "RUNNING", timestamp }]);
    expect(await timesOf(taskRunId)).toEqual([expected]);
  });

  const circle: { self?: unknown } = {};
  circle.self = [circle];

  test.each<[property: string, value: unknown, error: new (...args: never[]) => Error, message: string]>([
    [
      "id",
      "7",
      InvalidUuidError,
      'must be a UUID string such as "019abd2c-7e00-7000-8000-000000000000", but received string "7".',
    ],
    ["id", null, InvalidUuidError, "received null."],
    ["taskRunId", undefined, InvalidUuidError, "received undefined."],
    ["taskRunId", [randomUUID()], InvalidUuidError, "received array."],
    ["resultArtifactId", "", InvalidUuidError, 'received string "".'],
    [
      "type",
      "running",
      TypeError,
      'must be one of SCHEDULED, PENDING, RUNNING, COMPLETED, FAILED, CANCELLED, CRASHED, PAUSED, CANCELLING, but received string "running".',
    ],
    ["type", "toString", TypeError, 'received string "toString".'],
    ["type", ["RUNNING"], TypeError, "received array."],
    ["type", undefined, TypeError, "received undefined."],
    ["timestamp", 0, TypeError, "must be a Date or an ISO 8601 string, but received Number."],
    ["timestamp", null, TypeError, "received null."],
    ["timestamp", new Date(""), RangeError, "must be a valid Date."],
    [
      "timestamp",
      new Date("-004713-11-23T23:59:59.999Z"),
      RangeError,
      "must lie between 24 November 4714 BC, where PostgreSQL's times begin, and 13 September 275760, where JavaScript's end.",
    ],
    ["timestamp", "+275760-09-13T00:00:00-00:01", RangeError, "must lie between"],
    ["timestamp", "-004713-11-24T00:00:00+00:01", RangeError, "must lie between"],
    [
      "timestamp",
      "",
      RangeError,
      'must be an ISO 8601 instant with its offset, such as "2026-11-22T10:53:01.198765Z", but received string "".',
    ],
    ["timestamp", "now", RangeError, 'received string "now".'],
    ["timestamp", "2026-11-22", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53:01", RangeError, "received"],
    ["timestamp", "2026-11-22 10:53:01Z", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53.5Z", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53:01+24:00", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53:01+01:60", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53:01Z2026", RangeError, "received"],
    ["timestamp", " 2026-11-22T10:53:01Z", RangeError, "received"],
    ["timestamp", "2026-02-29T10:53:01Z", RangeError, "received"],
    ["timestamp", "2026-13-01T10:53:01Z", RangeError, "received"],
    ["timestamp", "2026-11-22T24:00:00Z", RangeError, "received"],
    ["timestamp", "2026-11-22T10:53:60Z", RangeError, "received"],
    ["name", 7, TypeError, "must be a string, but received Number."],
    ["name", null, TypeError, "received null."],
    [
      "name",
      "a\0",
      RangeError,
      "holds U+0000 or half of a surrogate pair, which PostgreSQL cannot store as text.",
    ],
    ["message", ["text"], TypeError, "received Array."],
    ["message", "\ud83d", RangeError, "holds U+0000"],
    ["stateDetails", null, TypeError, "must be an object, but received null."],
    ["stateDetails", [], TypeError, "must be an object, but received Array."],
    ["stateDetails", { "a\0": 1 }, RangeError, "holds U+0000"],
    ["stateDetails", { a: ["\\\\", "\\\udc00"] }, RangeError, "holds U+0000"],
    [
      "data",
      () => 1,
      TypeError,
      "must be what JSON can hold, without functions, symbols, BigInts, NaN, infinite numbers, Maps, Sets, circles and " +
        "more than 1000 levels.",
    ],
    ["stateDetails", "text", TypeError, "must be an object, but received String."],
    ["data", { toJSON: () => nested(1000) }, TypeError, "must be what JSON can hold"],
    ["data", nested(1001), TypeError, "must be what JSON can hold"],
    ["data", { a: new Map([[1, 2]]) }, TypeError, "must be what JSON can hold"],
    ["data", new Set([1]), TypeError, "must be what JSON can hold"],
    ["data", Object(1), TypeError, "must be what JSON can hold"],
    ["data", [Object(false)], TypeError, "must be what JSON can hold"],
    ["data", { a: [{ b: () => 1 }] }, TypeError, "must be what JSON can hold"],
    ["data", [Symbol("a")], TypeError, "must be what JSON can hold"],
    ["data", 1n, TypeError, "must be what JSON can hold"],
    ["data", { a: Number.NaN }, TypeError, "must be what JSON can hold"],
    ["data", Number.POSITIVE_INFINITY, TypeError, "must be what JSON can hold"],
    ["data", circle, TypeError, "must be what JSON can hold"],
    ["data", { toJSON: () => undefined }, TypeError, "must be what JSON can hold"],
    ["data", "\ud800", RangeError, "holds U+0000"],
    ["created", new Date(), TypeError, "is set by PostgreSQL, and never given."],
    ["updated", null, TypeError, "is set by PostgreSQL, and never given."],
    ["taskRunID", randomUUID(), TypeError, "is no property of TaskRunState."],
    ["__proto__", 1, TypeError, "is no property of TaskRunState."],
  ])(
    "%s %p is refused before any SQL, and the transaction stays usable",
    async (property, value, kind, message) => {
      const good: NewTaskRunState = { taskRunId: randomUUID(), type: "RUNNING" };
      const bad: NewTaskRunState = Object.defineProperty({ ...good }, property, { value, enumerable: true });
      await dataSource.transaction(async (manager) => {
        const { result: error, statements } = await statementsOf(dataSource, () =>
          failureOf(placeOf(0) === "state" ? record(manager, [bad]) : record(manager, [good, bad])),
        );
        expect(statements).toEqual([]);
        expect((error as Error).constructor).toBe(kind);
        expect((error as Error).message).toContain(`${placeOf(1)}.${property} `);
        expect((error as Error).message).toContain(message);
        await record(manager, [good]);
      });
      expect(await service.readTaskRunStates(manager, good.taskRunId)).toHaveLength(1);
    },
  );

  test.each<[unknown, string]>([
    [undefined, "must be an object, but received undefined."],
    [null, "received null."],
    ["state", "received String."],
  ])("a state that is %p is refused", async (state, message) => {
    const error = await failureOf(record(manager, [state as NewTaskRunState]));
    expect(error).toBeInstanceOf(TypeError);
    expect((error as Error).message).toContain(message);
    expect((error as Error).message).toContain(`${placeOf(0)} `);
  });

  test("no data, and a null, are stored as SQL's NULL", async () => {
    const taskRunId = randomUUID();
    await record(manager, [
      { taskRunId, type: "RUNNING" },
      { taskRunId, type: "RUNNING", data: null },
    ]);
    expect(await manager.countBy(TaskRunState, { taskRunId, data: IsNull() })).toBe(2);
  });

  test("data keeps what looks special", async () => {
    const datas = [nested(1000), JSON.parse('{"__proto__":{"a":1}}'), Object.create(null), "", 0, false];
    const states = datas.map((data) => ({ taskRunId: randomUUID(), type: "RUNNING" as const, data }));
    for (const [place, { data }] of (await record(manager, states)).entries()) {
      expect(JSON.stringify(data)).toBe(JSON.stringify(datas[place]));
    }
  });

  test("properties that are undefined count as missing", async () => {
    const given = {
      id: undefined,
      timestamp: undefined,
      name: undefined,
      message: undefined,
      data: undefined,
    };
    const [state] = await record(manager, [
      { ...given, ...{ created: undefined, unknown: undefined }, taskRunId: randomUUID(), type: "PAUSED" },
    ]);
    expect(state).toMatchObject({ id: expect.stringMatching(V7), name: "Paused", message: null, data: null });
    expect(state).not.toHaveProperty("unknown");
  });
});

/** So many arrays in each other. */
function nested(levels: number): unknown[] {
  return levels === 1 ? [] : [nested(levels - 1)];
}

async function databaseTime(): Promise<Date> {
  const [{ now }] = await manager.query("SELECT date_trunc('milliseconds', clock_timestamp()) AS now");
  return now;
}

test("an array that is none is refused, and an empty one sends nothing", async () => {
  const error = await failureOf(recordTaskRunStates(manager, {} as NewTaskRunState[]));
  expect(error).toEqual(new TypeError("states must be an array, but received Object."));
  const { result, statements } = await statementsOf(dataSource, () => recordTaskRunStates(manager, []));
  expect({ result, statements }).toEqual({ result: [], statements: [] });
});

test("100,000 states take one statement, and come back in the order of the array", async () => {
  const taskRunId = randomUUID();
  const given = Array.from({ length: 100_000 }, (_, index): NewTaskRunState => {
    return { taskRunId, type: "RUNNING", name: `${index}` };
  });
  const { result, statements } = await statementsOf(dataSource, () => recordTaskRunStates(manager, given));
  expect(statements).toHaveLength(1);
  expect(result.map(({ name }) => name)).toEqual(given.map(({ name }) => name));
  expect(await manager.countBy(TaskRunState, { taskRunId })).toBe(given.length);
}, 120_000);
