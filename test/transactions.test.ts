import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { InvalidUuidError, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, statementsOf, type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { until } from "./support/until";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

afterEach(() => {
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
});

class Rollback extends Error {}

/** Each kind of transaction that a caller can open, with its rollback. */
const transactions: [string, (work: (manager: EntityManager) => Promise<void>) => Promise<void>][] = [
  [
    "dataSource.transaction",
    (work) =>
      dataSource.transaction(async (manager) => {
        await work(manager);
        throw new Rollback();
      }),
  ],
  [
    "a query runner",
    async (work) => {
      const queryRunner = dataSource.createQueryRunner();
      await queryRunner.startTransaction();
      try {
        await work(queryRunner.manager);
        throw new Rollback();
      } finally {
        await queryRunner.rollbackTransaction();
        await queryRunner.release();
      }
    },
  ],
];

describe.each(transactions)("in a transaction of %s", (_, rolledBack) => {
  test("the caller alone sees a delete, and the rollback undoes it", async () => {
    const { id, taskRunId } = await record(dataSource.manager);
    await expect(
      rolledBack(async (manager) => {
        expect(await service.deleteTaskRunState(manager, id)).toBe(true);
        expect(await service.readTaskRunState(manager, id)).toBeNull();
        expect(await service.readTaskRunStates(manager, taskRunId)).toEqual([]);
        expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
        expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toHaveLength(1);
      }),
    ).rejects.toThrow(Rollback);
    expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
  });

  test("the caller alone sees a state that it records, and the rollback removes it", async () => {
    const taskRunId = randomUUID();
    await expect(
      rolledBack(async (manager) => {
        const { id } = await record(manager, { taskRunId });
        expect((await service.readTaskRunState(manager, id))?.taskRunId).toBe(taskRunId);
        expect(await service.readTaskRunStates(manager, taskRunId)).toHaveLength(1);
        expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
      }),
    ).rejects.toThrow(Rollback);
    expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
  });
});

test("others see a delete once the caller's transaction commits", async () => {
  const { id } = await record(dataSource.manager);
  await dataSource.transaction(async (manager) => {
    await service.deleteTaskRunState(manager, id);
    expect(await service.readTaskRunState(dataSource.manager, id)).not.toBeNull();
  });
  expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
});

test("the rollback to a savepoint undoes a delete, and leaves the rest of the transaction as it is", async () => {
  const [kept, deleted] = [await record(dataSource.manager), await record(dataSource.manager)];
  await dataSource.transaction(async (outer) => {
    await service.deleteTaskRunState(outer, deleted.id);
    const inner = outer.transaction(async (manager) => {
      await service.deleteTaskRunState(manager, kept.id);
      throw new Rollback();
    });
    await expect(inner).rejects.toThrow(Rollback);
    expect((await service.readTaskRunState(outer, kept.id))?.id).toBe(kept.id);
  });
  expect((await service.readTaskRunState(dataSource.manager, kept.id))?.id).toBe(kept.id);
  expect(await service.readTaskRunState(dataSource.manager, deleted.id)).toBeNull();
});

describe("each method sends one statement, and leaves BEGIN and COMMIT to the caller", () => {
  const calls = ["SELECT", "SELECT", "DELETE"];

  test.each<[string, (work: (manager: EntityManager) => Promise<void>) => Promise<void>, string[]]>([
    ["outside a transaction", (work) => work(dataSource.manager), calls],
    ["inside one", (work) => dataSource.transaction(work), ["START", ...calls, "COMMIT"]],
  ])("%s", async (_, through, commands) => {
    const { id, taskRunId } = await record(dataSource.manager);
    const { statements } = await statementsOf(dataSource, () =>
      through(async (manager) => {
        await service.readTaskRunState(manager, id);
        await service.readTaskRunStates(manager, taskRunId);
        await service.deleteTaskRunState(manager, id);
      }),
    );
    expect(statements.map((sql) => sql.split(" ")[0])).toEqual(commands);
  });
});

test("what is on its way when another call fails stays behind the rollback, unless all are awaited", async () => {
  const stored = async (settle: (calls: Promise<unknown>[]) => Promise<unknown>) => {
    const { id, taskRunId } = await record(dataSource.manager);
    const transaction = dataSource.transaction(async (manager) => {
      const fails = service.readTaskRunState(manager, "7");
      const deletes = record(manager).then(() => service.deleteTaskRunState(manager, id));
      await settle([fails, deletes]);
      await fails;
    });
    await expect(transaction).rejects.toThrow(InvalidUuidError);
    await until(async () => connectionsInUse(dataSource).inUse === 0);
    return (await service.readTaskRunStates(dataSource.manager, taskRunId)).length;
  };
  expect(await stored((calls) => Promise.all(calls))).toBe(0);
  expect(await stored((calls) => Promise.allSettled(calls))).toBe(1);
});
