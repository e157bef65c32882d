import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { DataSource, type EntityManager } from "typeorm";
import { migrations, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import {
  clientOptions,
  connectionsInUse,
  poolOf,
  type TestDataSource,
  useDatabase,
} from "./support/database";
import { failureOf, sqlStateOf } from "./support/failure-of";
import { sessionsWaitingFor, whileTableIsLocked } from "./support/locked-table";
import { startPostgresProcess } from "./support/postgres-process";
import { record } from "./support/record";
import { until } from "./support/until";

const database = useDatabase();
const service = new TaskRunStateService();
let host: TestDataSource;
/** Sessions apart from the host's pool, for whoever interferes. */
let others: TestDataSource;
let state: TaskRunState;

beforeAll(async () => {
  host = await database.connect({ poolSize: 2 });
  others = await database.connect();
  await others.query("CREATE TABLE task_run (id uuid)"); // the host's own
});

beforeEach(async () => {
  const { id } = await record(host.manager);
  state = await host.manager.findOneByOrFail(TaskRunState, { id });
});

const calls: [string, (manager: EntityManager) => Promise<unknown>][] = [
  ["a read", (manager) => service.readTaskRunState(manager, state.id)],
  ["a list", (manager) => service.readTaskRunStates(manager, state.taskRunId)],
  ["a delete", (manager) => service.deleteTaskRunState(manager, state.id)],
];

/** The state is there as it was, no connection is lent out, and the next call of each method works. */
async function expectUnharmed(dataSource: DataSource = host): Promise<void> {
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  expect(await service.readTaskRunState(dataSource.manager, state.id)).toEqual(state);
  expect(await service.readTaskRunStates(dataSource.manager, state.taskRunId)).toEqual([state]);
  expect(await service.deleteTaskRunState(dataSource.manager, state.id)).toBe(true);
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
}

/** The SQLSTATE that the work fails with when the server terminates its session, while it waits for the table. */
function sqlStateWhenTerminated(work: () => Promise<unknown>): Promise<string | undefined> {
  return whileTableIsLocked(others, async (holder) => {
    const sqlState = sqlStateOf(work());
    await holder.query("SELECT pg_terminate_backend($1)", await sessionsWaitingFor(holder));
    return sqlState;
  });
}

describe.each(calls)("%s", (_, call) => {
  test("fails with 57P01 when the server terminates its session, and the pool replaces the connection", async () => {
    const removed = once(poolOf(host), "remove");
    expect(await sqlStateWhenTerminated(() => call(host.manager))).toBe("57P01");
    await removed; // An instant later: until the socket closes, the pool takes the connection for a good one.
    await expectUnharmed();
  });

  test("fails with 57P01 when the server terminates its session in a transaction, which is undone", async () => {
    const transaction = () =>
      host.transaction(async (manager) => {
        await manager.query("INSERT INTO task_run VALUES ($1)", [state.taskRunId]);
        await call(manager);
      });
    expect(await sqlStateWhenTerminated(transaction)).toBe("57P01");
    expect(await host.query("SELECT FROM task_run")).toEqual([]);
    await expectUnharmed();
  });

  test("fails with 57014 at statement_timeout and then with 25P02, until the transaction rolls back", async () => {
    const runner = host.createQueryRunner();
    await runner.startTransaction();
    await runner.query("SET LOCAL statement_timeout = 50");
    expect(await whileTableIsLocked(others, () => sqlStateOf(call(runner.manager)))).toBe("57014");
    expect(await sqlStateOf(call(runner.manager))).toBe("25P02");
    await runner.rollbackTransaction();
    expect(await call(runner.manager)).toBeTruthy();
    await runner.release();
    expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("waits for a connection when all are in use and the pool sets no limit", async () => {
    const small = await database.connect({ poolSize: 1 });
    const runner = small.createQueryRunner();
    await runner.connect();
    const answer = call(small.manager);
    await until(() => poolOf(small).waitingCount === 1);
    await runner.release();
    expect(await answer).toBeTruthy();
    expect(connectionsInUse(small)).toEqual({ inUse: 0, waiting: 0 });
  });
});

test("the calls fail with the pool's error when no connection becomes free within the pool's limit", async () => {
  const small = await database.connect({ poolSize: 1, connectTimeoutMS: 2000 });
  const runner = small.createQueryRunner();
  await runner.connect();
  const errors = await Promise.all(calls.map(([, call]) => failureOf(call(small.manager))));
  expect(errors.map(String)).toEqual(Array(3).fill("Error: timeout exceeded when trying to connect"));
  await runner.release();
  await expectUnharmed(small);
});

test("a delete fails with 55P03 at lock_timeout while another transaction holds the row, and works afterwards", async () => {
  await others.transaction(async (holder) => {
    await holder.update(TaskRunState, state.id, { message: "changed" });
    const deletion = host.transaction(async (manager) => {
      await manager.query("SET LOCAL lock_timeout = 50");
      await service.deleteTaskRunState(manager, state.id);
    });
    expect(await sqlStateOf(deletion)).toBe("55P03");
  });
  expect((await service.readTaskRunState(host.manager, state.id))?.message).toBe("changed");
  expect(await service.deleteTaskRunState(host.manager, state.id)).toBe(true);
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
});

test("the second of two deletes of one state waits for the first, and returns false when that commits", async () => {
  const second = await others.transaction(async (holder) => {
    expect(await service.deleteTaskRunState(holder, state.id)).toBe(true);
    const answer = service.deleteTaskRunState(host.manager, state.id);
    await sessionsWaitingFor(holder);
    return { answer };
  });
  expect(await second.answer).toBe(false);
});

test("a delete returns false when a trigger of the host's keeps the state", async () => {
  await others.query(`
    CREATE FUNCTION keep() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
    CREATE TRIGGER keep BEFORE DELETE ON task_run_state FOR EACH ROW EXECUTE FUNCTION keep()`);
  expect(await service.deleteTaskRunState(host.manager, state.id)).toBe(false);
  expect(await service.readTaskRunState(host.manager, state.id)).toEqual(state);
  await others.query("DROP TRIGGER keep ON task_run_state; DROP FUNCTION keep");
});

test("a delete fails with 40001 at SERIALIZABLE when another transaction has deleted the state meanwhile", async () => {
  const deletion = host.transaction("SERIALIZABLE", async (manager) => {
    expect(await service.readTaskRunState(manager, state.id)).toEqual(state);
    expect(await service.deleteTaskRunState(others.manager, state.id)).toBe(true);
    await service.deleteTaskRunState(manager, state.id);
  });
  expect(await sqlStateOf(deletion)).toBe("40001");
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  expect(await service.readTaskRunState(host.manager, state.id)).toBeNull();
});

test("a crash of the server keeps what was acknowledged, and leaves each other transaction whole or absent", async () => {
  const server = await startPostgresProcess();
  const dataSource = new DataSource({
    type: "postgres",
    url: server.url,
    extra: clientOptions,
    entities: [TaskRunState],
    migrations,
    migrationsRun: true,
  });
  try {
    await dataSource.initialize();
    const { manager } = dataSource;
    const doomed = await record(manager);
    const begun: string[] = [];
    const acknowledged: string[] = [];
    let failures = 0;
    let restarted = false;
    /** Records task runs until the server is back, and then fifty more. */
    const write = async () => {
      for (let more = 50; more > 0; ) {
        if (restarted) more--;
        const taskRunId = randomUUID();
        begun.push(taskRunId);
        const error = await failureOf(
          dataSource.transaction(async (transaction) => {
            for (const type of [StateType.PENDING, StateType.RUNNING, StateType.COMPLETED]) {
              await record(transaction, { taskRunId, type });
            }
          }),
        );
        if (!error) acknowledged.push(taskRunId);
        else {
          failures++;
          await setTimeout(20);
        }
      }
    };
    const writers = Promise.all(Array.from({ length: 8 }, write));
    const open = dataSource.createQueryRunner();
    await open.startTransaction();
    expect(await service.deleteTaskRunState(open.manager, doomed.id)).toBe(true);
    await until(() => acknowledged.length >= 100);

    await server.restart();
    restarted = true;
    await writers;
    expect(await failureOf(open.commitTransaction())).toBeDefined();
    await open.release();

    expect(failures).toBeGreaterThan(0);
    expect(acknowledged.length).toBeGreaterThan(100);
    for (const taskRunId of begun) {
      const states = await service.readTaskRunStates(manager, taskRunId);
      const names = states.map(({ name }) => name);
      if (acknowledged.includes(taskRunId) || names.length > 0) {
        expect(names).toEqual(["Pending", "Running", "Completed"]);
      }
    }
    expect((await service.readTaskRunState(manager, doomed.id))?.id).toBe(doomed.id);
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  } finally {
    await dataSource.destroy();
    await server.stop();
  }
});
