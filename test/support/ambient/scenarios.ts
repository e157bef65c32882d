import type { DataSource, EntityManager } from "typeorm";
import {
  type NewTaskRunState,
  pruneTaskRunStates,
  readLatestTaskRunStates,
  StateType,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { collect } from "../collect";
import { connectionsInUse } from "../database";
import { record } from "../record";

type Propagation = "REQUIRED" | "REQUIRES_NEW" | "NESTED" | "NOT_SUPPORTED";

/** A library that opens transactions which the code inside does not have to be handed. */
export interface Library {
  dataSource: DataSource;
  /** Does the work as a method that is decorated with `@Transactional(propagation)` does. */
  run<T>(propagation: Propagation, work: () => Promise<T>): Promise<T>;
  /** The manager of the transaction, as the library gives it. */
  transaction(): EntityManager;
  /** A manager as a host holds it, that of the data source or one that was injected, before any transaction begins. */
  manager(): EntityManager;
}

const service = new TaskRunStateService();

class Rollback extends Error {}

export type Report = Awaited<ReturnType<typeof report>>;

/** What the service does through the library's manager. Whether a state is seen is said of the service and of `find`. */
export async function report(library: Library) {
  const { dataSource, run } = library;

  /** "seen" or "unseen" by all reads, this module's and TypeORM's, else who sees what. */
  async function sight({ id, taskRunId }: TaskRunState, manager = library.manager()): Promise<string> {
    const seen = {
      read: (await service.readTaskRunState(manager, id)) !== null,
      list: (await service.readTaskRunStates(manager, taskRunId)).length === 1,
      latest: (await readLatestTaskRunStates(manager, [taskRunId])).has(taskRunId),
      findOneBy: (await manager.findOneBy(TaskRunState, { id })) !== null,
      find: (await manager.find(TaskRunState, { where: { taskRunId } })).length === 1,
    };
    const answers = new Set(Object.values(seen));
    if (answers.size === 2) return JSON.stringify(seen);
    return answers.has(true) ? "seen" : "unseen";
  }

  /** Through a query runner of its own, and so from outside of every transaction but its own. */
  async function sightFromOutside(state: TaskRunState): Promise<string> {
    const queryRunner = dataSource.createQueryRunner();
    try {
      return await sight(state, queryRunner.manager);
    } finally {
      await queryRunner.release();
    }
  }

  async function committed(given?: Partial<NewTaskRunState>): Promise<TaskRunState> {
    const queryRunner = dataSource.createQueryRunner();
    try {
      return await record(queryRunner.manager, given);
    } finally {
      await queryRunner.release();
    }
  }

  const remove = ({ id }: TaskRunState, manager = library.manager()) =>
    service.deleteTaskRunState(manager, id);

  async function rolledBack<T>(propagation: Propagation, work: () => Promise<T>): Promise<T> {
    let result: { value: T } | undefined;
    try {
      await run(propagation, async () => {
        result = { value: await work() };
        throw new Rollback();
      });
    } catch (error) {
      if (!(error instanceof Rollback && result)) throw error;
    }
    if (!result) throw new Error("The work did not end.");
    return result.value;
  }

  async function ownWrite(manager: () => EntityManager) {
    const { state, ...inside } = await rolledBack("REQUIRED", async () => {
      const state = await record(manager());
      return { state, inside: await sight(state), outside: await sightFromOutside(state) };
    });
    return { ...inside, afterwards: await sight(state) };
  }

  async function deletion(end: typeof rolledBack) {
    const state = await committed();
    const inside = await end("REQUIRED", async () => ({
      deleted: await remove(state),
      inside: await sight(state),
      outside: await sightFromOutside(state),
    }));
    return { ...inside, afterwards: await sight(state) };
  }

  async function pruning() {
    const before = new Date();
    const old = await committed({
      type: StateType.COMPLETED,
      timestamp: new Date(before.getTime() - 1),
    });
    const inside = await rolledBack("REQUIRED", async () => {
      const steps = await collect(pruneTaskRunStates(library.manager(), { before }));
      return {
        pruned: steps.some(({ states }) => states > 0),
        inside: await sight(old),
        outside: await sightFromOutside(old),
      };
    });
    return { ...inside, afterwards: await sight(old) };
  }

  /** What is seen, recorded and deleted in a transaction, or outside of any, that begins in a transaction that is rolled back. */
  async function within(propagation: Propagation) {
    const other = await committed();
    const outer = await rolledBack("REQUIRED", async () => {
      const before = await record(library.transaction());
      const inner = await run(propagation, async () => {
        const own = await record(library.transaction());
        return {
          own,
          outerSeenInside: await sight(before),
          ownSeenInside: await sight(own),
          deleted: await remove(other),
        };
      });
      return inner;
    });
    const { own, ...inside } = outer;
    return { ...inside, ownAfterwards: await sight(own), deletedAfterwards: await sight(other) };
  }

  async function rolledBackWithin(propagation: Propagation) {
    const other = await committed();
    const inside = await run("REQUIRED", async () => ({
      deleted: await rolledBack(propagation, () => remove(other)),
      afterInner: await sight(other),
    }));
    return { ...inside, afterwards: await sight(other) };
  }

  /** Each of four transactions that are open at once sees what it wrote itself, and what the others had committed. */
  async function apart() {
    const shared = await committed();
    const written: TaskRunState[] = [];
    let arrived = 0;
    let open: () => void = () => {};
    const everyoneIsThere = new Promise<void>((resolve) => {
      open = resolve;
    });
    const caller = async () => {
      const own = await record(library.transaction());
      written.push(own);
      if (++arrived === 4) open();
      await everyoneIsThere;
      const sights = [];
      for (const state of written)
        sights.push(state === own ? `own ${await sight(own)}` : await sight(state));
      return { sights: sights.toSorted(), shared: await sight(shared), deletedOwn: await remove(own) };
    };
    return Promise.all([0, 1, 2, 3].map(() => run("REQUIRED", caller)));
  }

  async function explicitManager() {
    return rolledBack("REQUIRED", async () => {
      const ambient = await record(library.transaction());
      const queryRunner = dataSource.createQueryRunner();
      await queryRunner.startTransaction();
      try {
        const own = await record(queryRunner.manager);
        return {
          ambient: await sight(ambient, queryRunner.manager),
          own: await sight(own, queryRunner.manager),
          ownFromAmbient: await sight(own),
          ambientDeleted: await remove(ambient, queryRunner.manager),
          ownDeleted: await remove(own, queryRunner.manager),
        };
      } finally {
        await queryRunner.rollbackTransaction();
        await queryRunner.release();
      }
    });
  }

  return {
    ownWrite: await ownWrite(library.transaction),
    recording: await ownWrite(library.manager),
    rollback: await deletion(rolledBack),
    commit: await deletion(run),
    requiresNew: await within("REQUIRES_NEW"),
    requiresNewRolledBack: await rolledBackWithin("REQUIRES_NEW"),
    nested: await within("NESTED"),
    nestedRolledBack: await rolledBackWithin("NESTED"),
    notSupported: await within("NOT_SUPPORTED"),
    fourAtOnce: await apart(),
    explicitManager: await explicitManager(),
    pruning: await pruning(),
    connections: connectionsInUse(dataSource),
  };
}
