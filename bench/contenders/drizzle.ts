import { asc, eq, sql } from "drizzle-orm";
import { drizzle as connect } from "drizzle-orm/node-postgres";
import { jsonb, pgEnum, pgTable, timestamp, uuid, varchar } from "drizzle-orm/pg-core";
import { Pool } from "pg";
import { uuidv7 } from "uuidv7";

import { StateType } from "../../dist";
import { type NewState, poolOptions, type Session } from "../lib/contender";

const stateType = pgEnum("task_run_state_type", StateType);
const time = (name: string) =>
  timestamp(name, { withTimezone: true }).notNull().default(sql`clock_timestamp()`);

const taskRunState = pgTable("task_run_state", {
  id: uuid("id").primaryKey(),
  created: time("created"),
  updated: time("updated"),
  type: stateType("type").notNull(),
  timestamp: time("timestamp"),
  name: varchar("name").notNull(),
  message: varchar("message"),
  stateDetails: jsonb("state_details").$type<object>().notNull().default({}),
  data: jsonb("data"),
  taskRunId: uuid("task_run_id").notNull(),
  resultArtifactId: uuid("result_artifact_id"),
});

export async function drizzle(url: string): Promise<Session> {
  const pool = new Pool(poolOptions(url));
  const db = connect({ client: pool });
  return {
    async read(id) {
      const [state] = await db.select().from(taskRunState).where(eq(taskRunState.id, id));
      return state ?? null;
    },
    list: (taskRunId) =>
      db
        .select()
        .from(taskRunState)
        .where(eq(taskRunState.taskRunId, taskRunId))
        .orderBy(asc(taskRunState.timestamp), asc(taskRunState.id)),
    async delete(id) {
      const { rowCount } = await db.delete(taskRunState).where(eq(taskRunState.id, id));
      return rowCount === 1;
    },
    async record(state) {
      const [stored] = await db.insert(taskRunState).values(row(state)).returning();
      if (!stored) throw new Error("INSERT returned no row");
      return stored;
    },
    recordAll: (states) => db.insert(taskRunState).values(states.map(row)).returning(),
  };
}

function row(state: NewState): typeof taskRunState.$inferInsert {
  return { ...state, id: uuidv7(), type: state.type as StateType };
}
