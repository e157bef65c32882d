import { deepStrictEqual, ok } from "node:assert";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { EntityManager, QueryRunner } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { HistoryModel, type Row } from "./support/history-model";

/** MODEL_PROGRAMS sets how many programs run; MODEL_SEED runs those of an earlier failure again. */
const PROGRAMS = Number(process.env.MODEL_PROGRAMS ?? 1000);
const SEED = process.env.MODEL_SEED ? { seed: Number(process.env.MODEL_SEED) } : {};
const TASK_RUNS = 3;
/** The first caller has no transaction, each other one can have one open. */
const CALLERS = 3;

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;
let runners: QueryRunner[];

beforeAll(async () => {
  dataSource = await database.connect({ logging: false });
  runners = [dataSource.createQueryRunner(), dataSource.createQueryRunner()];
});

afterAll(() => Promise.all(runners.map((runner) => runner.release())));

class System {
  readonly managers: EntityManager[] = [dataSource.manager, ...runners.map(({ manager }) => manager)];
  readonly taskRunIds = Array.from({ length: TASK_RUNS }, () => randomUUID());

  transaction(caller: number): QueryRunner {
    return pick(runners, caller - 1);
  }

  async close(): Promise<void> {
    for (const runner of runners) while (runner.isTransactionActive) await runner.rollbackTransaction();
  }
}

/** The n-th of a list that starts over at its end. */
function pick<T>(list: T[], n: number): T {
  const item = list[n % list.length];
  if (item === undefined) throw new RangeError("There is nothing to pick from.");
  return item;
}

const UNKNOWN = randomUUID();
const pickId = (model: Readonly<HistoryModel>, n: number) => pick([UNKNOWN, ...model.ids], n);

type Command = fc.AsyncCommand<HistoryModel, System>;

function command(label: string, run: Command["run"], check: Command["check"] = () => true): Command {
  return {
    check,
    toString: () => label,
    async run(model, system) {
      await run(model, system);
      await agree(model, system);
    },
  };
}

/** Every caller sees of every task run, and of the state recorded last, just what the model has. */
async function agree(model: HistoryModel, { managers, taskRunIds }: System): Promise<void> {
  await Promise.all(
    managers.map(async (manager, caller) => {
      for (const taskRunId of taskRunIds) {
        const states = await service.readTaskRunStates(manager, taskRunId);
        deepStrictEqual(states.map(fields), model.list(caller, taskRunId));
      }
      await readAgrees(model, manager, caller, pickId(model, model.ids.length));
    }),
  );
}

async function readAgrees(model: HistoryModel, manager: EntityManager, caller: number, id: string) {
  const state = await service.readTaskRunState(manager, id);
  deepStrictEqual(state && fields(state), model.read(caller, id));
}

const fields = (state: TaskRunState): Row => ({ ...state });

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

const givenState = fc.record(
  {
    type: fc.constantFrom(...Object.values(StateType)),
    name: text,
    message: fc.oneof(fc.constant(null), { weight: 200, arbitrary: text }, longText),
    timestamp: fc.oneof(
      fc.nat(3).map((n) => new Date(Date.UTC(2026, 0, 1) + n)), // often the same
      fc.date({ noInvalidDate: true, min: new Date("0001-01-01Z"), max: new Date("9999-12-31Z") }),
    ),
    stateDetails: fc.oneof(
      { weight: 10, arbitrary: json.object },
      deepJson.map((deep): Record<string, fc.JsonValue> => ({ deep })),
      fc.record({ scheduled_time: fc.constantFrom(null, "", "2026-01-01T00:00:00+00:00") }),
    ),
    data: fc.oneof({ weight: 20, arbitrary: json.value }, deepJson),
    resultArtifactId: fc.option(fc.uuid()),
    idStart: fc.nat(2 ** 32 - 1),
  },
  { requiredKeys: ["type"] },
);
type GivenState = typeof givenState extends fc.Arbitrary<infer T> ? T : never;

/** The row as it must come back: what was given, and the defaults of what was not. */
function expectedRow(given: GivenState, recorded: TaskRunState, since: number): Row {
  const { type, timestamp, name, message, stateDetails, data, resultArtifactId } = given;
  const details = asJson(stateDetails ?? {});
  if (type === StateType.SCHEDULED && !details.scheduled_time) {
    details.scheduled_time = recorded.stateDetails.scheduled_time as string;
    const time = Date.parse(details.scheduled_time);
    ok(since <= time && time <= Date.now(), `scheduled for ${details.scheduled_time}`);
  }
  return {
    id: recorded.id,
    created: recorded.created,
    updated: recorded.updated,
    type,
    timestamp: timestamp ?? recorded.timestamp,
    name: name ?? type.charAt(0) + type.slice(1).toLowerCase(),
    message: message ?? null,
    stateDetails: details,
    data: asJson(data ?? null),
    taskRunId: recorded.taskRunId,
    resultArtifactId: resultArtifactId ?? null,
  };
}

/** A new id that sorts anywhere among those of states at the same time. */
function ownId(start: number | undefined): { id?: string } {
  if (start === undefined) return {};
  return { id: start.toString(16).padStart(8, "0") + randomUUID().slice(8) };
}

/** JSON has no -0. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

const record = (caller: number, run: number, bulk: boolean, given: GivenState[]): Command =>
  command(`record(${fc.stringify([caller, run, bulk, given])})`, async (model, { managers, taskRunIds }) => {
    const since = Date.now();
    const manager = pick(managers, caller);
    const taskRunId = pick(taskRunIds, run);
    const states = given.map(({ idStart, ...state }) =>
      manager.create(TaskRunState, { ...state, ...(state.timestamp && ownId(idStart)), taskRunId }),
    );
    if (bulk) await manager.insert(TaskRunState, states);
    else await manager.save(states);
    states.forEach((state, i) => {
      model.record(caller, expectedRow(pick(given, i), state, since));
    });
  });

const read = (caller: number, n: number): Command =>
  command(`read(${caller}, ${n})`, (model, { managers }) =>
    readAgrees(model, pick(managers, caller), caller, pickId(model, n)),
  );

const remove = (caller: number, n: number): Command =>
  command(
    `delete(${caller}, ${n})`,
    async (model, { managers }) => {
      const deleted = await service.deleteTaskRunState(pick(managers, caller), pickId(model, n));
      deepStrictEqual(deleted, model.delete(caller, pickId(model, n)));
    },
    (model) => !model.isLocked(caller, pickId(model, n)),
  );

/** Begins a transaction, or makes a savepoint in the open one; commit and rollback end the innermost. */
const begin = (caller: number): Command =>
  command(`begin(${caller})`, async (model, system) => {
    await system.transaction(caller).startTransaction();
    model.begin(caller);
  });

const commit = (caller: number): Command =>
  command(
    `commit(${caller})`,
    async (model, system) => {
      await system.transaction(caller).commitTransaction();
      model.commit(caller);
    },
    (model) => model.depth(caller) > 0,
  );

const rollback = (caller: number): Command =>
  command(
    `rollback(${caller})`,
    async (model, system) => {
      await system.transaction(caller).rollbackTransaction();
      model.rollback(caller);
    },
    (model) => model.depth(caller) > 0,
  );

const anyone = fc.nat(CALLERS - 1);
const inTransaction = fc.integer({ min: 1, max: CALLERS - 1 });
const recording = fc
  .tuple(anyone, fc.nat(TASK_RUNS - 1), fc.boolean(), fc.array(givenState, { minLength: 1, maxLength: 3 }))
  .map((args) => record(...args));
const programs = fc.commands<HistoryModel, System, false>(
  [
    recording,
    recording,
    fc.tuple(anyone, fc.nat(50)).map((args) => read(...args)),
    fc.tuple(anyone, fc.nat(50)).map((args) => remove(...args)),
    inTransaction.map(begin),
    inTransaction.map(commit),
    inTransaction.map(rollback),
  ],
  { maxCommands: 20 },
);

test(
  `${PROGRAMS} random programs of three callers leave the table as an in-memory model has it, after each step`,
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const system = new System();
        try {
          await fc.asyncModelRun(() => ({ model: new HistoryModel(CALLERS), real: system }), program);
        } finally {
          await system.close();
        }
      }),
      { numRuns: PROGRAMS, ...SEED },
    );
  },
  60_000 + PROGRAMS * 200,
);
