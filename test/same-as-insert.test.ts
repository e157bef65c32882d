import { randomUUID } from "node:crypto";
import fc from "fast-check";
import type { DeepPartial, EntityManager, EntitySubscriberInterface, InsertEvent, Logger } from "typeorm";
import { getMetadataArgsStorage } from "typeorm";
import {
  type NewTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { connectionsInUse, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { type GivenState, givenState } from "./support/given-state";
import { recordOneByOne } from "./support/record-one-by-one";

const database = useDatabase();
const replica = useDatabase();
const service = new TaskRunStateService();

type Record = (manager: EntityManager, states: NewTaskRunState[]) => Promise<TaskRunState[]>;

const byTypeOrm: Record = async (manager, states) => {
  const instances = manager.create(TaskRunState, states as DeepPartial<TaskRunState>[]);
  await manager.insert(TaskRunState, instances);
  return instances;
};
const functions: [string, Record][] = [
  ["recordTaskRunStates", recordTaskRunStates],
  ["recordTaskRunState", recordOneByOne],
];
const transactions: [string, boolean][] = [
  ["outside of a transaction", false],
  ["inside of one", true],
];

const newState = (given: Partial<NewTaskRunState> = {}): NewTaskRunState => ({
  taskRunId: randomUUID(),
  type: "RUNNING",
  ...given,
});

describe.each(functions)("%s", (name, byModule) => {
  test("random states store the rows that manager.insert stores, and come back as they are read", async () => {
    const { manager } = await database.connect();
    const taskRunId = randomUUID();
    const toNew = ({ idPrefix, ...given }: GivenState): NewTaskRunState =>
      newState({ taskRunId, ...given, ...(idPrefix && { id: idPrefix + randomUUID().slice(8) }) });
    /** With a word for what is new every time. */
    const rowsBy = async (record: Record, given: GivenState[]) => {
      const recorded = await record(manager, given.map(toNew));
      const ids = recorded.map(({ id }) => id);
      const rows: { json: string }[] = await manager.query(
        `SELECT to_jsonb(state)::text AS json FROM unnest($1::uuid[]) WITH ORDINALITY AS given (id, place)
         JOIN task_run_state state USING (id) ORDER BY place`,
        [ids],
      );
      const told = rows.map(({ json }) =>
        JSON.parse(json, (key, value) =>
          key === "id" ? `version ${value[14]}` : isRecent(value) ? "now" : value,
        ),
      );
      return { recorded, told };
    };
    await fc.assert(
      fc.asyncProperty(fc.array(givenState, { minLength: 1, maxLength: 6 }), async (given) => {
        const ours = await rowsBy(byModule, given);
        expect(ours.told).toEqual((await rowsBy(byTypeOrm, given)).told);
        expect(ours.told).toHaveLength(given.length);
        for (const state of ours.recorded) {
          expect(state).toStrictEqual(await service.readTaskRunState(manager, state.id));
        }
      }),
      { numRuns: Number(process.env.RANDOM_HISTORIES ?? 100) },
    );
  });

  describe("tells subscribers and listeners what manager.insert tells them of instances", () => {
    async function eventsOf(record: Record, inTransaction: boolean) {
      const dataSource = await database.connect();
      const metadata = dataSource.getMetadata(TaskRunState);
      const events: {
        name: string;
        entity: TaskRunState;
        callersManager: boolean;
        [field: string]: unknown;
      }[] = [];
      const listen = async (manager: EntityManager) => {
        const note = (name: string) => async (event: InsertEvent<TaskRunState>) => {
          await new Promise(setImmediate); // The insertion waits for it.
          const { queryRunner, manager: told, entity, ...fields } = event;
          events.push({
            name,
            entity,
            // After the insert, an instance of manager.insert leaves undefined what the database has as NULL.
            told: Object.entries(entity)
              .filter(([, value]) => value !== undefined && !(name === "afterInsert" && value === null))
              .map(([key, value]) => [key, isRecent(value) || key === "id" ? "new" : value])
              .sort(),
            callersRunner: queryRunner === manager.queryRunner,
            callersManager: told === manager,
            fields: Object.entries(fields).map(([field, value]) => [
              field,
              value === dataSource ? "data source" : value === metadata ? "metadata" : value,
            ]),
          });
        };
        dataSource.subscribers.push({
          listenTo: () => TaskRunState,
          beforeInsert: note("beforeInsert"),
          afterInsert: note("afterInsert"),
          afterLoad: () => {
            throw new Error("Nothing is loaded.");
          },
        });
        return record(manager, [
          newState({ taskRunId: taskRunA, stateDetails: { cache_key: "c" }, data: [1] }),
          newState({ taskRunId: taskRunB }),
        ]);
      };
      const recorded = await (inTransaction ? dataSource.transaction(listen) : listen(dataSource.manager));
      return events.map((event) => ({ ...event, entity: recorded.indexOf(event.entity) }));
    }
    const [taskRunA, taskRunB] = [randomUUID(), randomUUID()];

    test.each(transactions)("%s", async (_, inTransaction) => {
      const insertEach: Record = async (manager, states) => [
        ...(await byTypeOrm(manager, states.slice(0, 1))),
        ...(await byTypeOrm(manager, states.slice(1))),
      ];
      const ours = await eventsOf(byModule, inTransaction);
      expect(ours).toEqual(
        await eventsOf(name === "recordTaskRunState" ? insertEach : byTypeOrm, inTransaction),
      );
      expect(ours.filter(({ callersManager }) => callersManager === inTransaction)).toHaveLength(4);
    });

    test("through listeners that a host adds to the entity", async () => {
      const { entityListeners } = getMetadataArgsStorage();
      const [before, after] = [jest.fn(), jest.fn()];
      Object.assign(TaskRunState.prototype, { before, after });
      entityListeners.push(
        { target: TaskRunState, propertyName: "before", type: "before-insert" },
        { target: TaskRunState, propertyName: "after", type: "after-insert" },
      );
      try {
        const { manager } = await database.connect();
        const recorded = await byModule(manager, [newState(), newState()]);
        expect(before.mock.contexts).toEqual(recorded);
        expect(after.mock.contexts).toEqual(recorded);
      } finally {
        entityListeners.splice(-2);
        for (const property of ["before", "after"]) Reflect.deleteProperty(TaskRunState.prototype, property);
      }
    });
  });

  test("the host's log gets the query with its parameters, and the error of one that failed", async () => {
    const logged: unknown[][] = [];
    const note =
      (kind: string) =>
      (...args: unknown[]) => {
        logged.push([kind, ...args]);
      };
    const ignore = () => {};
    const logger: Logger = {
      logQuery: (sql, parameters) => note("query")(sql.slice(0, 28), Array.isArray(parameters)),
      logQueryError: (_, sql, parameters) => note("error")(sql.slice(0, 28), Array.isArray(parameters)),
      logQuerySlow: ignore,
      logSchemaBuild: ignore,
      logMigration: ignore,
      log: ignore,
    };
    const { manager } = await database.connect({ logger });
    const loggedBy = async (record: Record) => {
      const id = randomUUID();
      logged.length = 0;
      await record(manager, [newState({ id })]);
      await failureOf(record(manager, [newState({ id })]));
      return [...logged];
    };
    const ours = await loggedBy(byModule);
    expect(ours).toEqual(await loggedBy(byTypeOrm));
    expect(ours.map(([kind]) => kind)).toEqual(["query", "query", "error"]);
  });

  describe("errors are those of manager.insert, and no connection stays checked out:", () => {
    async function expectSameError(call: (record: Record) => Promise<unknown>, expected: object) {
      const [ours, theirs] = [await failureOf(call(byModule)), await failureOf(call(byTypeOrm))];
      expect(ours).toMatchObject(expected);
      expect((ours as Error).constructor).toBe((theirs as Error).constructor);
      expect((ours as Error).message).toBe((theirs as Error).message);
    }

    test("the table is missing", async () => {
      const dataSource = await database.connect({ schema: "nowhere", migrationsRun: false });
      await expectSameError((record) => record(dataSource.manager, [newState()]), {
        name: "QueryFailedError",
        driverError: { code: "42P01" },
      });
      expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
    });

    test("an id is stored", async () => {
      const dataSource = await database.connect();
      const [stored] = await byTypeOrm(dataSource.manager, [newState()]);
      await expectSameError((record) => record(dataSource.manager, [newState({ id: stored?.id })]), {
        name: "QueryFailedError",
        driverError: {
          code: "23505",
          constraint: "pk_task_run_state",
          detail: `Key (id)=(${stored?.id}) already exists.`,
        },
      });
      expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
    });

    test("the query runner was released", async () => {
      const dataSource = await database.connect();
      const queryRunner = dataSource.createQueryRunner();
      await queryRunner.release();
      await expectSameError((record) => record(queryRunner.manager, [newState()]), {
        name: "QueryRunnerAlreadyReleasedError",
      });
    });

    test("the data source was destroyed", async () => {
      const dataSource = await database.connect();
      await dataSource.destroy();
      await expectSameError((record) => record(dataSource.manager, [newState()]), { name: "TypeORMError" });
    });

    test.each([
      ["beforeInsert", 0],
      ["afterInsert", 1],
    ])("a subscriber of %s throws", async (event, rowsLeft) => {
      const dataSource: TestDataSource = await database.connect();
      const subscriber: EntitySubscriberInterface = {
        listenTo: () => TaskRunState,
        [event]: () => Promise.reject(new RangeError("from the subscriber")),
      };
      dataSource.subscribers.push(subscriber);
      const recordOne = async (record: Record) => {
        const state = newState();
        const error = await failureOf(record(dataSource.manager, [state]));
        expect(await service.readTaskRunStates(dataSource.manager, state.taskRunId)).toHaveLength(rowsLeft);
        throw error;
      };
      await expectSameError(recordOne, { name: "RangeError", message: "from the subscriber" });
      expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
    });
  });

  test("with `replication` it goes to the primary", async () => {
    await replica.connect();
    const primary = await database.connect();
    const dataSource = await database.connect({
      replication: { master: { url: database.url }, slaves: [{ url: replica.url }] },
    });
    for (const record of [byModule, byTypeOrm]) {
      const [state] = await record(dataSource.manager, [newState()]);
      expect((await service.readTaskRunState(primary.manager, state?.id ?? ""))?.id).toBe(state?.id);
    }
  });

  /** What else differs: what is refused here, and what manager.insert does, as a SQLSTATE or as what it stores. */
  describe("differs from manager.insert, which does not refuse", () => {
    test.each<[string, Partial<{ [property in keyof TaskRunState]: unknown }>, string | object]>([
      ["an id that is none", { id: "7" }, "22P02"],
      ["a task run that is none", { taskRunId: "7" }, "22P02"],
      ["no task run", { taskRunId: undefined }, "23502"],
      ["a type that is none", { type: "running" }, "22P02"],
      ["no type", { type: undefined }, "23502"],
      ["a name of null", { name: null }, { name: "Running" }],
      ["a name that is a number", { name: 7 }, { name: "7" }],
      ["a message with U+0000", { message: "\0" }, "22021"],
      ["a message with half of a surrogate pair", { message: "\ud83d" }, { message: "\ufffd" }],
      ["details of null", { stateDetails: null }, "23502"],
      ["details that are an array", { stateDetails: [] }, { stateDetails: [] }],
      ["data with U+0000", { data: "\0" }, "22P05"],
      ["data with half of a surrogate pair", { data: "\ud83d" }, "22P02"],
      ["data with a function in it", { data: [() => 1] }, { data: [null] }],
      ["data with NaN in it", { data: [Number.NaN] }, { data: [null] }],
      ["a date that is none", { timestamp: new Date("") }, "22007"],
      ["a date before PostgreSQL's", { timestamp: new Date("-004800-01-01T00:00:00Z") }, "22008"],
      ["a property that is none", { taskRunID: randomUUID() } as object, {}],
      ["a time of creation", { created: new Date(0) }, { created: new Date(0) }],
    ])("%s", async (_, given, outcome) => {
      const { manager } = await database.connect();
      const state = { ...newState(), ...given } as NewTaskRunState;
      expect(await failureOf(byModule(manager, [state]))).toBeInstanceOf(
        given.timestamp ? RangeError : Error,
      );
      const instance = manager.create(TaskRunState, state as DeepPartial<TaskRunState>);
      const error = await failureOf(manager.insert(TaskRunState, instance));
      if (typeof outcome === "string") expect(error).toHaveProperty("driverError.code", outcome);
      else expect(await service.readTaskRunState(manager, instance.id)).toMatchObject(outcome);
    });
  });
});

function isRecent(value: unknown): boolean {
  const time =
    value instanceof Date ? value.getTime() : typeof value === "string" ? Date.parse(value) : Number.NaN;
  return Math.abs(time - Date.now()) < 3_600_000;
}
