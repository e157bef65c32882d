import * as driver from "pg";
import { DataSource, type EntityManager } from "typeorm";

// The compiled package, as it is published: tsx would compile the sources in its own way.
import {
  type NewTaskRunState,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "../../dist";
import { type Contender, type NewState, POOL_SIZE, type Session } from "../lib/contender";

type Calls = Omit<Session, "close">;

/** This module: its service reads and deletes, and its functions record. */
export const typeormTaskRunState: Contender = {
  name: "this module",
  library: "typeorm-task-run-state",
  open: async (url) => byService(await connect(url)),
};

/** The same with one more line in the data source's options. */
export const typeormTaskRunStatePrepared: Contender = {
  name: "this module, prepared",
  library: "typeorm-task-run-state",
  open: async (url) => byService(await connect(url, { Client: withPreparedStatements(driver.Client) })),
};

function byService(dataSource: DataSource): Session {
  const { manager } = dataSource;
  const service = new TaskRunStateService();
  return session(dataSource, {
    read: (id) => service.readTaskRunState(manager, id),
    list: (taskRunId) => service.readTaskRunStates(manager, taskRunId),
    delete: (id) => service.deleteTaskRunState(manager, id),
    record: (state) => recordTaskRunState(manager, state as NewTaskRunState),
    recordAll: (states) => recordTaskRunStates(manager, states as NewTaskRunState[]),
  });
}

/** The same entity through TypeORM's own calls. */
export const typeorm: Contender = {
  name: "TypeORM",
  library: "typeorm",
  async open(url) {
    const dataSource = await connect(url);
    const { manager } = dataSource;
    return session(dataSource, {
      read: (id) => manager.findOneBy(TaskRunState, { id }),
      list: (taskRunId) =>
        manager.find(TaskRunState, { where: { taskRunId }, order: { timestamp: "ASC", id: "ASC" } }),
      delete: async (id) => (await manager.delete(TaskRunState, { id })).affected === 1,
      record: (state) => insert(manager, state),
      recordAll: (states) => manager.insert(TaskRunState, manager.create(TaskRunState, states.map(given))),
    });
  },
};

function connect(url: string, extra: object = {}): Promise<DataSource> {
  return new DataSource({
    type: "postgres",
    url,
    driver,
    entities: [TaskRunState],
    poolSize: POOL_SIZE,
    extra: { idleTimeoutMillis: 0, ...extra },
  }).initialize();
}

function session(dataSource: DataSource, calls: Calls): Session {
  return { ...calls, close: () => dataSource.destroy() };
}

async function insert(manager: EntityManager, newState: NewState): Promise<TaskRunState> {
  const state = manager.create(TaskRunState, given(newState));
  await manager.insert(TaskRunState, state);
  return state;
}

const given = (state: NewState) => state as Partial<TaskRunState>;
