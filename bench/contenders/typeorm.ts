import * as driver from "pg";
import { DataSource } from "typeorm";

// The compiled package, as it is published: tsx would compile the sources in its own way.
import { TaskRunState, TaskRunStateService } from "../../dist";
import { type Contender, type NewState, POOL_SIZE, type Session } from "../lib/contender";

type Reads = Pick<Session, "read" | "list" | "delete">;

/** This module: its service reads and deletes, and the README's calls record. */
export const typeormTaskRunState: Contender = {
  name: "this module",
  library: "typeorm-task-run-state",
  async open(url) {
    const dataSource = await connect(url);
    const { manager } = dataSource;
    const service = new TaskRunStateService();
    return session(dataSource, {
      read: (id) => service.readTaskRunState(manager, id),
      list: (taskRunId) => service.readTaskRunStates(manager, taskRunId),
      delete: (id) => service.deleteTaskRunState(manager, id),
    });
  },
};

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

function connect(url: string): Promise<DataSource> {
  return new DataSource({
    type: "postgres",
    url,
    driver,
    entities: [TaskRunState],
    poolSize: POOL_SIZE,
    extra: { idleTimeoutMillis: 0 },
  }).initialize();
}

function session(dataSource: DataSource, reads: Reads): Session {
  const { manager } = dataSource;
  const create = (state: NewState) => manager.create(TaskRunState, state as Partial<TaskRunState>);
  return {
    ...reads,
    record: (state) => manager.save(create(state)),
    recordAll: (states) => manager.insert(TaskRunState, states.map(create)),
    close: () => dataSource.destroy(),
  };
}
