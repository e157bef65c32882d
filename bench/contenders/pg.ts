import { Pool, type QueryResult } from "pg";
import { uuidv7 } from "uuidv7";

import { type NewState, poolOptions, type Session, type State } from "../lib/contender";

const COLUMNS = `id, created, updated, type, timestamp, name, message, state_details AS "stateDetails", data,
  task_run_id AS "taskRunId", result_artifact_id AS "resultArtifactId"`;

const READ = `SELECT ${COLUMNS} FROM task_run_state WHERE id = $1`;
const LIST = `SELECT ${COLUMNS} FROM task_run_state WHERE task_run_id = $1 ORDER BY timestamp, id`;
const DELETE = "DELETE FROM task_run_state WHERE id = $1";
const LATEST = `SELECT DISTINCT ON (task_run_id) ${COLUMNS} FROM task_run_state WHERE task_run_id = ANY ($1)
  ORDER BY task_run_id, timestamp DESC, id DESC`;

type Query = (name: string, text: string, values: unknown[]) => Promise<QueryResult<State>>;

/** SQL by hand, on the driver that all the others use too. All ratios refer to it. */
export async function unnamed(url: string): Promise<Session> {
  const pool = new Pool(poolOptions(url));
  return session((_name, text, values) => pool.query(text, values));
}

/** The same with named statements, which PostgreSQL parses once for each connection. */
export async function prepared(url: string): Promise<Session> {
  const pool = new Pool(poolOptions(url));
  return session((name, text, values) => pool.query({ name, text, values }));
}

function session(query: Query): Session {
  const record = async (states: NewState[]) => {
    const { rows } = await query(`record ${states.length}`, insert(states.length), states.flatMap(values));
    return rows;
  };
  return {
    read: async (id) => (await query("read", READ, [id])).rows[0] ?? null,
    list: async (taskRunId) => (await query("list", LIST, [taskRunId])).rows,
    delete: async (id) => (await query("delete", DELETE, [id])).rowCount === 1,
    async record(state) {
      const [stored] = await record([state]);
      if (!stored) throw new Error("INSERT returned no row");
      return stored;
    },
    recordAll: record,
    latest: async (taskRunIds) => (await query("latest", LATEST, [taskRunIds])).rows,
  };
}

const WIDTH = 8;

function insert(count: number): string {
  const row = (_: unknown, n: number) =>
    `(${Array.from({ length: WIDTH }, (_, column) => `$${n * WIDTH + column + 1}`).join()})`;
  return `INSERT INTO task_run_state
      (id, type, name, message, state_details, data, task_run_id, result_artifact_id)
    VALUES ${Array.from({ length: count }, row).join()} RETURNING ${COLUMNS}`;
}

function values(state: NewState): unknown[] {
  return [
    uuidv7(),
    state.type,
    state.name,
    state.message,
    JSON.stringify(state.stateDetails),
    state.data === null ? null : JSON.stringify(state.data),
    state.taskRunId,
    state.resultArtifactId,
  ];
}
