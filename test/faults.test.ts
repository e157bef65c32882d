import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { setTimeout } from "node:timers/promises";
import { DataSource, type EntityManager, QueryFailedError, QueryRunnerAlreadyReleasedError } from "typeorm";
import { migrations, StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import {
  connectionsInUse,
  maybePrepared,
  poolOf,
  type TestDataSource,
  useDatabase,
} from "./support/database";
import { failureOf } from "./support/failure-of";
import { startPostgresProcess } from "./support/postgres-process";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let host: TestDataSource;
/** Sessions apart from the host's pool, for whoever interferes. */
let others: TestDataSource;
let state: TaskRunState;

beforeAll(async () => {
  host = await database.connect({ poolSize: 2 });
  others = await database.connect();
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

/** TypeORM's error, with PostgreSQL's own within it. */
function expectSqlState(error: unknown, sqlState: string): void {
  expect(error).toBeInstanceOf(QueryFailedError);
  expect(error).toHaveProperty("driverError.code", sqlState);
}

/** The state is there as it was, no connection is lent out, and the next call of each method works. */
async function expectUnharmed(dataSource: DataSource = host): Promise<void> {
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
  expect(await service.readTaskRunState(dataSource.manager, state.id)).toEqual(state);
  expect(await service.readTaskRunStates(dataSource.manager, state.taskRunId)).toEqual([state]);
  expect(await service.deleteTaskRunState(dataSource.manager, state.id)).toBe(true);
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
}

/** Does the work while another session's transaction holds the table. */
function whileTableIsLocked<T>(work: (holder: EntityManager) => Promise<T>): Promise<T> {
  return others.transaction(async (holder) => {
    await holder.query("LOCK TABLE task_run_state");
    return work(holder);
  });
}

/** The process id of the session that waits for the holder's transaction, as soon as there is one. */
async function waitingFor(holder: EntityManager): Promise<number> {
  for (;;) {
    const [waiting]: { pid: number }[] = await holder.query(
      "SELECT pid FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))",
    );
    if (waiting) return waiting.pid;
    await setTimeout(5);
  }
}

const terminate = (manager: EntityManager, backend: number): Promise<unknown> =>
  manager.query("SELECT pg_terminate_backend($1)", [backend]);

describe.each(calls)("%s", (_, call) => {
  test("whose session the server terminates fails with 57P01, and the pool replaces the connection", async () => {
    const removed = once(poolOf(host), "remove");
    const error = await whileTableIsLocked(async (holder) => {
      const failure = failureOf(call(host.manager));
      await terminate(holder, await waitingFor(holder));
      return failure;
    });
    expectSqlState(error, "57P01");
    await removed; // An instant later: until the socket closes, the pool takes the connection for a good one.
    await expectUnharmed();
  });

  test("whose session the server terminates in a transaction fails with 57P01, and the transaction is undone", async () => {
    const added = randomUUID();
    const error = await whileTableIsLocked(async (holder) => {
      const failure = failureOf(
        host.transaction(async (manager) => {
          await call(manager);
          await record(manager, { taskRunId: added });
        }),
      );
      await terminate(holder, await waitingFor(holder));
      return failure;
    });
    expectSqlState(error, "57P01");
    expect(await service.readTaskRunStates(host.manager, added)).toEqual([]);
    await expectUnharmed();
  });

  test("that meets statement_timeout fails with 57014, and the transaction with it until it rolls back", async () => {
    const runner = host.createQueryRunner();
    await runner.startTransaction();
    await runner.query("SET LOCAL statement_timeout = 50");
    expectSqlState(await whileTableIsLocked(() => failureOf(call(runner.manager))), "57014");
    expectSqlState(await failureOf(call(runner.manager)), "25P02");
    await runner.rollbackTransaction();
    expect(await call(runner.manager)).toBeTruthy();
    await runner.release();
    expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("that finds no free connection waits for one where the pool sets no limit", async () => {
    const small = await database.connect({ poolSize: 1 });
    const runner = small.createQueryRunner();
    await runner.connect();
    const answer = call(small.manager);
    while (poolOf(small).waitingCount === 0) await setTimeout(5);
    await runner.release();
    expect(await answer).toBeTruthy();
    expect(connectionsInUse(small)).toEqual({ inUse: 0, waiting: 0 });
  });

  test("on a manager kept beyond its transaction fails with QueryRunnerAlreadyReleasedError", async () => {
    const kept = await host.transaction(async (manager) => manager);
    expect(await failureOf(call(kept))).toBeInstanceOf(QueryRunnerAlreadyReleasedError);
    await expectUnharmed();
  });

  test("on a destroyed data source fails with TypeORM's error, and works after initialize()", async () => {
    const closed = await database.connect();
    await closed.destroy();
    expect(await failureOf(call(closed.manager))).toHaveProperty("message", "Driver not Connected");
    await closed.initialize();
    await expectUnharmed(closed);
  });
});

test("calls that find no free connection within the pool's time limit fail with the pool's error", async () => {
  const small = await database.connect({ poolSize: 1, connectTimeoutMS: 2000 });
  const runner = small.createQueryRunner();
  await runner.connect();
  const errors = await Promise.all(calls.map(([, call]) => failureOf(call(small.manager))));
  expect(errors.map(String)).toEqual(Array(3).fill("Error: timeout exceeded when trying to connect"));
  await runner.release();
  await expectUnharmed(small);
});

test("a delete that waits for another transaction's row fails with 55P03 at lock_timeout, and works after that one ends", async () => {
  await others.transaction(async (holder) => {
    await holder.update(TaskRunState, state.id, { message: "changed" });
    const error = await failureOf(
      host.transaction(async (manager) => {
        await manager.query("SET LOCAL lock_timeout = 50");
        await service.deleteTaskRunState(manager, state.id);
      }),
    );
    expectSqlState(error, "55P03");
  });
  expect((await service.readTaskRunState(host.manager, state.id))?.message).toBe("changed");
  expect(await service.deleteTaskRunState(host.manager, state.id)).toBe(true);
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
});

test("of two deletes of one state at once the second waits, and tells false when the first commits", async () => {
  const second = await others.transaction(async (holder) => {
    expect(await service.deleteTaskRunState(holder, state.id)).toBe(true);
    const answer = service.deleteTaskRunState(host.manager, state.id);
    await waitingFor(holder);
    return { answer };
  });
  expect(await second.answer).toBe(false);
});

test("a delete of what another transaction deleted meanwhile fails with 40001 at SERIALIZABLE", async () => {
  const error = await failureOf(
    host.transaction("SERIALIZABLE", async (manager) => {
      expect(await service.readTaskRunState(manager, state.id)).toEqual(state);
      expect(await service.deleteTaskRunState(others.manager, state.id)).toBe(true);
      await service.deleteTaskRunState(manager, state.id);
    }),
  );
  expectSqlState(error, "40001");
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
  expect(await service.readTaskRunState(host.manager, state.id)).toBeNull();
});

test("of two transactions at SERIALIZABLE that each list a task run and then add to it, one fails with 40001", async () => {
  const { taskRunId } = state;
  const error = await failureOf(
    host.transaction("SERIALIZABLE", async (manager) => {
      expect(await service.readTaskRunStates(manager, taskRunId)).toHaveLength(1);
      await others.transaction("SERIALIZABLE", async (rival) => {
        expect(await service.readTaskRunStates(rival, taskRunId)).toHaveLength(1);
        await record(rival, { taskRunId });
      });
      await record(manager, { taskRunId });
    }),
  );
  expectSqlState(error, "40001");
  expect(await service.readTaskRunStates(host.manager, taskRunId)).toHaveLength(2);
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
});

test("idle connections that the server terminates are replaced, and the process goes on", async () => {
  await Promise.all(calls.slice(0, 2).map(([, call]) => call(host.manager)));
  const pool = poolOf(host);
  expect(pool.idleCount).toBe(2);
  await others.query(
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()",
  );
  while (pool.totalCount > 0) await setTimeout(5);
  await expectUnharmed();
});

test("when the server crashes, what was acknowledged is there afterwards, and the rest is whole or absent", async () => {
  const server = await startPostgresProcess();
  const dataSource = new DataSource({
    type: "postgres",
    url: server.url,
    extra: maybePrepared,
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
    const write = async () => {
      for (let left = 50; left > 0; left -= Number(restarted)) {
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
    while (acknowledged.length < 100) await setTimeout(5);

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
