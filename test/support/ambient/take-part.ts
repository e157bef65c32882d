import { deepEqual, equal, rejects } from "node:assert/strict";
import type { DataSource, EntityManager } from "typeorm";
import {
  type NewTaskRunState,
  pruneTaskRunStates,
  readLatestTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { collect } from "../collect";
import { connectionsInUse } from "../database";
import { record } from "../record";
import { until } from "../until";

type Propagation = "REQUIRED" | "REQUIRES_NEW" | "NESTED" | "NOT_SUPPORTED";

/** A library that opens transactions which the code inside does not have to be handed. */
export interface Library {
  dataSource: DataSource;
  /** Does the work as a method that is decorated with `@Transactional(propagation)` does. */
  run<T>(propagation: Propagation, work: () => Promise<T>): Promise<T>;
  /** Whether NESTED is a savepoint; else it is a transaction of its own. */
  hasSavepoints: boolean;
  /** The manager of the transaction, as the library gives it. */
  transaction(): EntityManager;
  /** A manager as a host holds it, that of the data source or one that was injected, before any transaction begins. */
  manager(): EntityManager;
}

const service = new TaskRunStateService();

class Rollback extends Error {}

/** Asserts that the module takes part in the library's transactions through the manager, as `find` does. */
export async function assertTakesPart(library: Library): Promise<void> {
  const { dataSource, run, transaction, manager } = library;

  async function sees({ id, taskRunId }: TaskRunState, through = manager()): Promise<boolean> {
    const found = (await through.findOneBy(TaskRunState, { id })) !== null;
    const read = (await service.readTaskRunState(through, id)) !== null;
    const listed = (await service.readTaskRunStates(through, taskRunId)).length === 1;
    const latest = (await readLatestTaskRunStates(through, [taskRunId])).has(taskRunId);
    deepEqual({ read, listed, latest }, { read: found, listed: found, latest: found });
    return found;
  }

  /** Takes part in no transaction of the library's. */
  async function fromOutside<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const queryRunner = dataSource.createQueryRunner();
    try {
      return await work(queryRunner.manager);
    } finally {
      await queryRunner.release();
    }
  }
  const othersSee = (state: TaskRunState) => fromOutside((manager) => sees(state, manager));
  const committed = (given?: Partial<NewTaskRunState>) => fromOutside((manager) => record(manager, given));

  const remove = ({ id }: TaskRunState, through = manager()) => service.deleteTaskRunState(through, id);

  async function rolledBack<T>(propagation: Propagation, work: () => Promise<T>): Promise<T> {
    const results: T[] = [];
    const undone = run(propagation, async () => {
      results.push(await work());
      throw new Rollback();
    });
    await rejects(undone, Rollback);
    return results[0] as T;
  }

  for (const through of [transaction, manager]) {
    const recorded = await rolledBack("REQUIRED", async () => {
      const state = await record(through());
      equal(await sees(state), true);
      equal(await othersSee(state), false);
      return state;
    });
    equal(await sees(recorded), false);
  }

  for (const [end, isUndone] of [
    [rolledBack, true],
    [run, false],
  ] as const) {
    const state = await committed();
    await end("REQUIRED", async () => {
      equal(await remove(state), true);
      equal(await sees(state), false);
      equal(await othersSee(state), true);
    });
    equal(await sees(state), isUndone);
  }

  const before = new Date();
  const old = await committed({ type: "COMPLETED", timestamp: new Date(before.getTime() - 1) });
  await rolledBack("REQUIRED", async () => {
    await collect(pruneTaskRunStates(manager(), { before }));
    equal(await sees(old), false);
    equal(await othersSee(old), true);
  });
  equal(await sees(old), true);

  for (const [propagation, joins] of [
    ["REQUIRES_NEW", false],
    ["NESTED", library.hasSavepoints],
    ["NOT_SUPPORTED", false],
  ] as const) {
    const deleted = await committed();
    const own = await rolledBack("REQUIRED", async () => {
      const outer = await record(transaction());
      return run(propagation, async () => {
        const own = await record(transaction());
        equal(await sees(own), true);
        equal(await sees(outer), joins);
        equal(await remove(deleted), true);
        return own;
      });
    });
    equal(await sees(own), !joins);
    equal(await sees(deleted), joins);
  }

  for (const propagation of ["REQUIRES_NEW", "NESTED"] as const) {
    const kept = await committed();
    await run("REQUIRED", async () => {
      equal(await rolledBack(propagation, () => remove(kept)), true);
      equal(await sees(kept), true);
    });
    equal(await sees(kept), true);
  }

  // Four transactions are open at once.
  const shared = await committed();
  const written: TaskRunState[] = [];
  const caller = async () => {
    const own = await record(transaction());
    written.push(own);
    await until(async () => written.length === 4);
    for (const state of written) equal(await sees(state), state === own);
    equal(await sees(shared), true);
    equal(await remove(own), true);
  };
  await Promise.all([0, 1, 2, 3].map(() => run("REQUIRED", caller)));

  // A manager of one's own transaction stands apart from the library's.
  await rolledBack("REQUIRED", async () => {
    const ambient = await record(transaction());
    const queryRunner = dataSource.createQueryRunner();
    await queryRunner.startTransaction();
    const own = await record(queryRunner.manager);
    equal(await sees(own, queryRunner.manager), true);
    equal(await sees(own), false);
    equal(await sees(ambient, queryRunner.manager), false);
    equal(await remove(ambient, queryRunner.manager), false);
    equal(await remove(own, queryRunner.manager), true);
    await queryRunner.rollbackTransaction();
    await queryRunner.release();
  });

  deepEqual(connectionsInUse(dataSource), { inUse: 0, waiting: 0 });
}
