import { randomUUID } from "node:crypto";
import type { EntityManager } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect({ extra: { max: 4 } });
});

afterEach(() => {
  expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });
});

class Rollback extends Error {}

/** Every kind of manager that a caller can hold, each with the way to undo what was done through it. */
const callers: [string, (work: (manager: EntityManager) => Promise<void>) => Promise<void>][] = [
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
  [
    "a savepoint",
    (work) =>
      dataSource.transaction((outer) =>
        outer.transaction(async (inner) => {
          await work(inner);
          throw new Rollback();
        }),
      ),
  ],
];

describe.each(callers)("through the manager of %s", (_, rolledBack) => {
  test("a delete is seen inside, unseen outside, and undone by the rollback", async () => {
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

  test("a state recorded inside is read inside, unseen outside, and gone after the rollback", async () => {
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

test("through dataSource.manager, each call stands on its own", async () => {
  const { id } = await record(dataSource.manager);
  expect(await service.deleteTaskRunState(dataSource.manager, id)).toBe(true);
  expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
});

test("a delete is seen outside once the caller's transaction commits", async () => {
  const { id } = await record(dataSource.manager);
  await dataSource.transaction(async (manager) => {
    await service.deleteTaskRunState(manager, id);
    expect(await service.readTaskRunState(dataSource.manager, id)).not.toBeNull();
  });
  expect(await service.readTaskRunState(dataSource.manager, id)).toBeNull();
});

test("a rolled back savepoint leaves the rest of the caller's transaction standing", async () => {
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

test("nothing begins, commits or rolls back but the caller", async () => {
  const { id, taskRunId } = await record(dataSource.manager);
  dataSource.statements.length = 0;
  await dataSource.transaction(async (manager) => {
    await service.readTaskRunState(manager, id);
    await service.readTaskRunStates(manager, taskRunId);
    await service.deleteTaskRunState(manager, id);
  });
  expect(dataSource.statements.map((sql) => sql.split(" ")[0])).toEqual([
    "START",
    "SELECT",
    "SELECT",
    "DELETE",
    "COMMIT",
  ]);
});

test("an error of the database reaches the caller with its SQLSTATE, and the connection goes back", async () => {
  const { id, taskRunId } = await record(dataSource.manager);
  const failing = dataSource.transaction(async (manager) => {
    await manager.query("SELECT 1 / 0").catch(() => {});
    const aborted = { driverError: { code: "25P02" } };
    await expect(service.readTaskRunState(manager, id)).rejects.toMatchObject(aborted);
    await expect(service.readTaskRunStates(manager, taskRunId)).rejects.toMatchObject(aborted);
    await expect(service.deleteTaskRunState(manager, id)).rejects.toMatchObject(aborted);
    throw new Rollback();
  });
  await expect(failing).rejects.toThrow(Rollback);
  expect((await service.readTaskRunState(dataSource.manager, id))?.id).toBe(id);
});

test("more callers than connections wait their turn, and all are served", async () => {
  const { id, taskRunId } = await record(dataSource.manager);
  const reads = await Promise.all(
    Array.from({ length: 50 }, () => service.readTaskRunState(dataSource.manager, id)),
  );
  const lists = await Promise.all(
    Array.from({ length: 50 }, () => service.readTaskRunStates(dataSource.manager, taskRunId)),
  );
  expect(reads.map((state) => state?.id)).toEqual(Array(50).fill(id));
  expect(lists.map(([state]) => state?.id)).toEqual(Array(50).fill(id));
});
