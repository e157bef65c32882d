import { type ColumnType, Kysely, PostgresDialect } from "kysely";
import { Pool } from "pg";
import { uuidv7 } from "uuidv7";

import { type NewState, poolOptions, type Session } from "../lib/contender";

interface Table {
  id: string;
  created: ColumnType<Date, never>;
  updated: ColumnType<Date, never>;
  type: string;
  timestamp: ColumnType<Date, never>;
  name: string;
  message: string | null;
  state_details: ColumnType<object, string>;
  data: ColumnType<unknown, string | null>;
  task_run_id: string;
  result_artifact_id: string | null;
}

const COLUMNS = [
  "id",
  "created",
  "updated",
  "type",
  "timestamp",
  "name",
  "message",
  "state_details as stateDetails",
  "data",
  "task_run_id as taskRunId",
  "result_artifact_id as resultArtifactId",
] as const;

export async function kysely(url: string): Promise<Session> {
  const db = new Kysely<{ task_run_state: Table }>({
    dialect: new PostgresDialect({ pool: new Pool(poolOptions(url)) }),
  });
  return {
    read: async (id) =>
      (await db.selectFrom("task_run_state").select(COLUMNS).where("id", "=", id).executeTakeFirst()) ?? null,
    list: (taskRunId) =>
      db
        .selectFrom("task_run_state")
        .select(COLUMNS)
        .where("task_run_id", "=", taskRunId)
        .orderBy("timestamp")
        .orderBy("id")
        .execute(),
    async delete(id) {
      const result = await db.deleteFrom("task_run_state").where("id", "=", id).executeTakeFirst();
      return result.numDeletedRows === 1n;
    },
    record: (state) =>
      db.insertInto("task_run_state").values(row(state)).returning(COLUMNS).executeTakeFirstOrThrow(),
    recordAll: (states) =>
      db.insertInto("task_run_state").values(states.map(row)).returning(COLUMNS).execute(),
  };
}

function row(state: NewState) {
  return {
    id: uuidv7(),
    type: state.type,
    name: state.name,
    message: state.message,
    state_details: JSON.stringify(state.stateDetails),
    data: state.data === null ? null : JSON.stringify(state.data),
    task_run_id: state.taskRunId,
    result_artifact_id: state.resultArtifactId,
  };
}
