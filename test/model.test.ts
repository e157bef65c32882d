import { deepStrictEqual, ok } from "node:assert";
import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { EntityManager, QueryRunner } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type TestDataSource, useDatabase } from "./support/database";
import { createGiven, type GivenState, givenState } from "./support/given-state";
import { HistoryModel, type Row } from "./support/history-model";

/** MODEL_PROGRAMS sets how many programs run; MODEL_SEED runs those of an earlier failure again. */
const PROGRAMS = Number(process.env.MODEL_PROGRAMS ?? 1000);
const SEED = process.env.MODEL_SEED ? { seed: Number(process.env.MODEL_SEED) } : {};
const TASK_RUNS = 3;
/** Caller 0 works outside transactions; each other caller can have one open. */
const CALLERS = 3;

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;
let queryRunners: QueryRunner[];

beforeAll(async () => {
  dataSource = await database.connect({ logging: false });
  queryRunners = Array.from({ length: CALLERS - 1 }, () => dataSource.createQueryRunner());
});

afterAll(() => Promise.all(queryRunners.map((queryRunner) => queryRunner.release())));

/** The callers of the database, and the task runs of one program. */
class System {
  readonly managers = [dataSource.manager, ...queryRunners.map(({ manager }) => manager)];
  readonly taskRunIds = Array.from({ length: TASK_RUNS }, () => randomUUID());

  manager(caller: number): EntityManager {
    return pick(this.managers, caller);
  }

  /** That of a caller who can open a transaction. */
  queryRunner(caller: number): QueryRunner {
    return pick(queryRunners, caller - 1);
  }

  async endTransactions(): Promise<void> {
    for (const queryRunner of queryRunners) {
      while (queryRunner.isTransactionActive) await queryRunner.rollbackTransaction();
    }
  }
}

/** A command of a program: it does the same to the database and to the model, and compares the two. */
abstract class Command implements fc.AsyncCommand<HistoryModel, System> {
  check(_model: Readonly<HistoryModel>): boolean {
    return true;
  }

  async run(model: HistoryModel, system: System): Promise<void> {
    await this.execute(model, system);
    await expectAgreement(model, system);
  }

  protected abstract execute(model: HistoryModel, system: System): Promise<void>;

  toString(): string {
    return `${this.constructor.name}(${fc.stringify({ ...this })})`;
  }
}

class Record extends Command {
  constructor(
    readonly caller: number,
    readonly taskRun: number,
    readonly method: "insert" | "save",
    readonly given: GivenState[],
  ) {
    super();
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    const since = Date.now();
    const manager = system.manager(this.caller);
    const taskRunId = pick(system.taskRunIds, this.taskRun);
    const states = this.given.map((given) => createGiven(manager, taskRunId, given));
    if (this.method === "insert") await manager.insert(TaskRunState, states);
    else await manager.save(states);
    for (const [index, state] of states.entries()) {
      model.record(this.caller, expectedRow(pick(this.given, index), state, since));
    }
  }
}

/** Of a state that the program has recorded, or of one that nobody has. */
class Read extends Command {
  constructor(
    readonly caller: number,
    readonly state: number,
  ) {
    super();
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    await expectSameRead(model, system, this.caller, idOf(model, this.state));
  }
}

class Delete extends Command {
  constructor(
    readonly caller: number,
    readonly state: number,
  ) {
    super();
  }

  /** A delete that waits for another caller would wait for ever: commands run one after the other. */
  override check(model: Readonly<HistoryModel>): boolean {
    return !model.isLocked(this.caller, idOf(model, this.state));
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    const id = idOf(model, this.state);
    const deleted = await service.deleteTaskRunState(system.manager(this.caller), id);
    deepStrictEqual(deleted, model.delete(this.caller, id));
  }
}

/** Begins a transaction, or makes a savepoint in the open one. */
class Begin extends Command {
  constructor(readonly caller: number) {
    super();
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    await system.queryRunner(this.caller).startTransaction();
    model.begin(this.caller);
  }
}

/** Commits the transaction, or releases its innermost savepoint. */
class Commit extends Command {
  constructor(readonly caller: number) {
    super();
  }

  override check(model: Readonly<HistoryModel>): boolean {
    return model.depth(this.caller) > 0;
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    await system.queryRunner(this.caller).commitTransaction();
    model.commit(this.caller);
  }
}

/** Rolls back the transaction, or to its innermost savepoint. */
class Rollback extends Command {
  constructor(readonly caller: number) {
    super();
  }

  override check(model: Readonly<HistoryModel>): boolean {
    return model.depth(this.caller) > 0;
  }

  async execute(model: HistoryModel, system: System): Promise<void> {
    await system.queryRunner(this.caller).rollbackTransaction();
    model.rollback(this.caller);
  }
}

/** Every caller lists each task run, and reads the state recorded last, just as the model has them. */
async function expectAgreement(model: HistoryModel, system: System): Promise<void> {
  await Promise.all(
    system.managers.map(async (manager, caller) => {
      for (const taskRunId of system.taskRunIds) {
        const states = await service.readTaskRunStates(manager, taskRunId);
        deepStrictEqual(states.map(asRow), model.list(caller, taskRunId));
      }
      await expectSameRead(model, system, caller, idOf(model, model.ids.length));
    }),
  );
}

async function expectSameRead(model: HistoryModel, system: System, caller: number, id: string) {
  const state = await service.readTaskRunState(system.manager(caller), id);
  deepStrictEqual(state && asRow(state), model.read(caller, id));
}

const asRow = (state: TaskRunState): Row => ({ ...state });

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

/** JSON has no -0. */
const asJson = <T>(value: T): T => JSON.parse(JSON.stringify(value));

const UNKNOWN = randomUUID();

/** That of the n-th state recorded, counting from 1; 0 is the unknown one, and numbers beyond the last start over. */
const idOf = (model: Readonly<HistoryModel>, n: number) => pick([UNKNOWN, ...model.ids], n);

/** The n-th of a list that starts over at its end. */
function pick<T>(list: T[], n: number): T {
  const item = list[n % list.length];
  if (item === undefined) throw new RangeError("There is nothing to pick from.");
  return item;
}

const caller = fc.nat(CALLERS - 1);
const callerOfTransaction = fc.integer({ min: 1, max: CALLERS - 1 });
const taskRun = fc.nat(TASK_RUNS - 1);
const state = fc.nat(50);
const method = fc.constantFrom("insert" as const, "save" as const);
const given = fc.array(givenState, { minLength: 1, maxLength: 3 });
const record = fc.tuple(caller, taskRun, method, given).map((args) => new Record(...args));

const programs = fc.commands<HistoryModel, System, false>(
  [
    record,
    record, // twice, so that it comes up more often
    fc.tuple(caller, state).map((args) => new Read(...args)),
    fc.tuple(caller, state).map((args) => new Delete(...args)),
    callerOfTransaction.map((caller) => new Begin(caller)),
    callerOfTransaction.map((caller) => new Commit(caller)),
    callerOfTransaction.map((caller) => new Rollback(caller)),
  ],
  { maxCommands: 20 },
);

test(
  `${PROGRAMS} random programs of three callers leave the table as an in-memory model has it, after each command`,
  async () => {
    await fc.assert(
      fc.asyncProperty(programs, async (program) => {
        const system = new System();
        try {
          await fc.asyncModelRun(() => ({ model: new HistoryModel(CALLERS), real: system }), program);
        } finally {
          await system.endTransactions();
        }
      }),
      { numRuns: PROGRAMS, ...SEED },
    );
  },
  60_000 + PROGRAMS * 200,
);
