import { randomUUID } from "node:crypto";
import { Client, types } from "pg";
import { TaskRunState, TaskRunStateService, withPreparedStatements } from "typeorm-task-run-state";

import { useDatabase } from "./support/database";

const database = useDatabase();
const service = new TaskRunStateService();

const TIMESTAMPTZ = types.builtins.TIMESTAMPTZ;
const TIMES = [
  "-infinity",
  "4713-01-01 00:00:00+00 BC",
  "0044-03-15 12:00:00+00 BC",
  "0050-06-07 08:09:10.5+00",
  "0099-12-31 23:59:59.999999+00",
  "0100-01-01 00:00:00+00",
  "1883-11-18 12:03:58+00",
  "1970-01-01 00:00:00+00",
  "2024-02-29 23:59:59.9+00",
  "2026-11-27 22:30:01.012+00",
  "2026-11-27 22:30:01.000001+00",
  "2026-11-27 22:30:01.98765+00",
  "9999-12-31 23:59:59.999999+00",
  "10000-01-01 00:00:00+00",
  "294276-12-31 23:59:59.999999+00",
  "infinity",
];

class PreciseDate extends Date {
  constructor(readonly text: string) {
    super(text);
  }
}
const parserOfPg = types.getTypeParser(TIMESTAMPTZ);
const typesWith = (parse: (text: string) => unknown) => ({
  getTypeParser: (oid: number, format: "text") =>
    oid === TIMESTAMPTZ ? parse : types.getTypeParser(oid, format),
});
class OwnParserClient extends Client {
  constructor(config: string) {
    super(config);
    this.setTypeParser(TIMESTAMPTZ, (text) => new PreciseDate(text) as unknown as string);
  }
}

const settings: [string, object, typeof Client?][] = [
  ["pg's parser", {}],
  ["a parser that leaves text", { types: typesWith((text) => text) }],
  ["a parser that makes a subclass of Date", { types: typesWith((text) => new PreciseDate(text)) }],
  [
    "a parser that rounds",
    { types: typesWith((text) => new Date(Math.round(Date.parse(`${text}:00`) / 1000) * 1000)) },
  ],
  [
    "a parser that makes null of a far end",
    { types: typesWith((text) => (text < "9999" ? parserOfPg(text) : null)) },
  ],
  ["a parser that shifts", { types: typesWith((text) => new Date(Number(parserOfPg(text)) + 3_600_000)) }],
  ["a parser that a Client class sets", {}, OwnParserClient],
  ["another time zone", { options: "-c TimeZone=Asia/Kathmandu" }],
  ["a time zone of whole hours", { options: "-c TimeZone=America/New_York" }],
  ["the DateStyle SQL", { options: "-c DateStyle=SQL" }],
  ["the DateStyle Postgres", { options: "-c DateStyle=Postgres" }],
  ["the DateStyle German", { options: "-c DateStyle=German" }],
];
const clients: [string, (HostClient: typeof Client) => typeof Client][] = [
  ["on the host's client", (HostClient) => HostClient],
  ["on a client that prepares", withPreparedStatements],
];

describe.each(clients)("times read as find reads them, %s", (_, wrap) => {
  test.each(settings)("with %s", async (_, extra, HostClient = Client) => {
    const { manager } = await database.connect({ extra: { ...extra, Client: wrap(HostClient) } });
    const taskRunId = randomUUID();
    await manager.query(
      `INSERT INTO task_run_state (task_run_id, type, name, timestamp, created)
       SELECT $1, 'RUNNING', 'Running', time::timestamptz, time::timestamptz FROM unnest($2::text[]) time`,
      [taskRunId, TIMES],
    );
    const order = { timestamp: "ASC", id: "ASC" } as const;
    const found = (await manager.find(TaskRunState, { where: { taskRunId }, order })).map(withDates);
    expect(found).toHaveLength(TIMES.length);
    expect((await service.readTaskRunStates(manager, taskRunId)).map(written)).toEqual(found.map(written));
    for (const state of found) {
      const read = await service.readTaskRunState(manager, state.id);
      expect(read && written(read)).toEqual(written(state));
    }
  });
});

test("a client that prepares asks pg's parser for what a faster one cannot read, and for nothing else", async () => {
  const asked: string[] = [];
  const parse = (text: string) => {
    asked.push(text);
    return parserOfPg(text);
  };
  const extra = { types: typesWith(parse), Client: withPreparedStatements(Client) };
  const { manager } = await database.connect({ extra });
  const taskRunId = randomUUID();
  const insert =
    "INSERT INTO task_run_state (task_run_id, type, name, timestamp) VALUES ($1, 'RUNNING', 'Running', $2)";
  await manager.query(insert, [taskRunId, "0100-01-01 00:00:00+00"]);
  await service.readTaskRunStates(manager, taskRunId); // It finds out whose parser this is.
  asked.length = 0;
  await manager.query(insert, [taskRunId, "2026-11-27 22:30:01.012345+00"]);
  await manager.query(insert, [taskRunId, "0099-12-31 23:59:59.999999+00"]);
  expect(await service.readTaskRunStates(manager, taskRunId)).toHaveLength(3);
  expect(asked).toEqual(["0099-12-31 23:59:59.999999+00"]);
});

/** The state with its times as their class, instant and fields: to jest, an invalid date is not equal to another. */
function written(state: TaskRunState): object {
  const times = [state.created, state.updated, state.timestamp].map((time: Date | null) => ({
    ...time,
    class: time?.constructor,
    instant: Number(time),
  }));
  return { ...state, created: 0, updated: 0, timestamp: 0, times };
}

/** Before TypeORM 1, `find` leaves a time as text where the parser does. */
function withDates(state: TaskRunState): TaskRunState {
  for (const property of ["created", "updated", "timestamp"] as const) {
    const time: unknown = state[property];
    if (typeof time === "string") state[property] = new Date(time);
  }
  return state;
}
