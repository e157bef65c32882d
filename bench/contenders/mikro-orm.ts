import { EntitySchema, MikroORM, type OptionalProps } from "@mikro-orm/postgresql";
import { uuidv7 } from "uuidv7";

import { StateType } from "../../dist";
import { type NewState, POOL_SIZE, type Session, type State } from "../lib/contender";

const time = { type: "datetime", columnType: "timestamptz(6)", defaultRaw: "clock_timestamp()" } as const;

interface Entity extends State {
  [OptionalProps]?: "created" | "updated" | "timestamp";
}

const TaskRunState = new EntitySchema<Entity>({
  name: "TaskRunState",
  tableName: "task_run_state",
  properties: {
    id: { type: "uuid", primary: true },
    created: time,
    updated: time,
    type: {
      enum: true,
      items: Object.values(StateType),
      nativeEnumName: "task_run_state_type",
      type: "string",
    },
    timestamp: time,
    name: { type: "string" },
    message: { type: "string", nullable: true },
    stateDetails: { type: "json", fieldName: "state_details" },
    data: { type: "json", nullable: true },
    taskRunId: { type: "uuid", fieldName: "task_run_id" },
    resultArtifactId: { type: "uuid", fieldName: "result_artifact_id", nullable: true },
  },
});

/** Each call has its own entity manager, as each request to a server has. */
export async function mikroOrm(url: string): Promise<Session> {
  const orm = await MikroORM.init({
    clientUrl: url,
    entities: [TaskRunState],
    pool: { min: POOL_SIZE, max: POOL_SIZE },
  });
  return {
    read: (id) => orm.em.fork().findOne(TaskRunState, { id }),
    list: (taskRunId) =>
      orm.em.fork().find(TaskRunState, { taskRunId }, { orderBy: { timestamp: "asc", id: "asc" } }),
    delete: async (id) => (await orm.em.fork().nativeDelete(TaskRunState, { id })) === 1,
    async record(state) {
      const em = orm.em.fork();
      const stored = em.create(TaskRunState, row(state));
      await em.persistAndFlush(stored);
      return stored;
    },
    async recordAll(states) {
      const em = orm.em.fork();
      const stored = states.map((state) => em.create(TaskRunState, row(state)));
      await em.persistAndFlush(stored);
      return stored;
    },
  };
}

function row(state: NewState) {
  return { ...state, id: uuidv7() };
}
