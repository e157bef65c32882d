import * as driver from "pg";
import { DataSource, type EntityManager } from "typeorm";

// The compiled package, as it is published: tsx would compile the sources in its own way.
import {
  type NewTaskRunState,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "../../dist";
import { type NewState, POOL_SIZE, type Session } from "../lib/contender";

export const thisModule = (url: string) => open(url, byService);

/** The same with one more line in the data source's options. */
export const thisModulePrepared = (url: string) => open(url, byService, ON_THIS_CLIENT);

/** The same entity through TypeORM's own calls. */
export const typeorm = (url: string) => open(url, byManager);

export const typeormOnThisClient = (url: string) => open(url, byManager, ON_THIS_CLIENT);

const ON_THIS_CLIENT = { Client: withPreparedStatements(driver.Client) };

async function open(url: string, session: (manager: EntityManager) => Session, extra = {}): Promise<Session> {
  const dataSource = await new DataSource({
    type: "postgres",
    url,
    driver,
    entities: [TaskRunState],
    poolSize: POOL_SIZE,
    extra: { idleTimeoutMillis: 0, ...extra },
  }).initialize();
  return session(dataSource.manager);
}

function byService(manager: EntityManager): Session {
  const service = new TaskRunStateService();
  return {
    read: (id) => service.readTaskRunState(manager, id),
    list: (taskRunId) => service.readTaskRunStates(manager, taskRunId),
    delete: (id) => service.deleteTaskRunState(manager, id),
    record: (state) => recordTaskRunState(manager, state as NewTaskRunState),
    recordAll: (states) => recordTaskRunStates(manager, states as NewTaskRunState[]),
    latest: async (taskRunIds) => [...(await readLatestTaskRunStates(manager, taskRunIds)).values()],
  };
}

function byManager(manager: EntityManager): Session {
  return {
    read: (id) => manager.findOneBy(TaskRunState, { id }),
    list: (taskRunId) =>
      manager.find(TaskRunState, { where: { taskRunId }, order: { timestamp: "ASC", id: "ASC" } }),
    delete: async (id) => (await manager.delete(TaskRunState, { id })).affected === 1,
    async record(newState) {
      const state = manager.create(TaskRunState, given(newState));
      await manager.insert(TaskRunState, state);
      return state;
    },
    async recordAll(newStates) {
      const states = manager.create(TaskRunState, newStates.map(given));
      await manager.insert(TaskRunState, states);
      return states;
    },
    latest: (taskRunIds) =>
      manager
        .createQueryBuilder(TaskRunState, "state")
        .distinctOn(["state.taskRunId"])
        .where("state.taskRunId = ANY (:taskRunIds)", { taskRunIds })
        .orderBy("state.taskRunId")
        .addOrderBy("state.timestamp", "DESC")
        .addOrderBy("state.id", "DESC")
        .getMany(),
  };
}

const given = (state: NewState) => state as Partial<TaskRunState>;
