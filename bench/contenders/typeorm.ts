import * as driver from "pg";
import { DataSource } from "typeorm";

// The compiled package, as it is published: tsx would compile the sources in its own way.
import { TaskRunState, TaskRunStateService, withPreparedStatements } from "../../dist";
import { type Contender, type NewState, POOL_SIZE, type Session } from "../lib/contender";

type Reads = Pick<Session, "read" | "list" | "delete">;

/** This module: its service reads and deletes, and the README's calls record. */
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
  });
}

/** The same entity through TypeORM's own calls. It records with the same code as this module. */
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

function session(dataSource: DataSource, reads: Reads): Session {
  const { manager } = dataSource;
  const create = (state: NewState) => manager.create(TaskRunState, state as Partial<TaskRunState>);
  return {
    ...reads,
    async record(state) {
      const stored = create(state);
      await manager.insert(TaskRunState, stored);
      return stored;
    },
    recordAll: (states) => manager.insert(TaskRunState, states.map(create)),
    close: () => dataSource.destroy(),
  };
}
