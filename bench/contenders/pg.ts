import { Pool } from "pg";
import { uuidv7 } from "uuidv7";

import { type Contender, type NewState, poolOptions, type Session, type State } from "../lib/contender";

const COLUMNS = `id, created, updated, type, timestamp, name, message, state_details AS "stateDetails", data,
  task_run_id AS "taskRunId", result_artifact_id AS "resultArtifactId"`;

const READ = `SELECT ${COLUMNS} FROM task_run_state WHERE id = $1`;
const LIST = `SELECT ${COLUMNS} FROM task_run_state WHERE task_run_id = $1 ORDER BY timestamp, id`;
const DELETE = "DELETE FROM task_run_state WHERE id = $1";
const INSERT =
  "INSERT INTO task_run_state (id, type, name, message, state_details, data, task_run_id, result_artifact_id)";
const RECORD = `${INSERT} VALUES ($1, $2, $3, $4, $5, $6, $7, $8) RETURNING ${COLUMNS}`;
const RECORD_ALL = `${INSERT} SELECT * FROM unnest($1::uuid[], $2::task_run_state_type[], $3::varchar[], $4::varchar[],
  $5::jsonb[], $6::jsonb[], $7::uuid[], $8::uuid[])`;

/** SQL by hand, on the driver that all the others use too. All ratios refer to it. */
export const pg: Contender = {
  name: "pg by hand",
  library: "pg",
  open: async (url) => open(url, (_name, text) => ({ text })),
};

/** The same with named statements, which PostgreSQL parses once for each connection. This is the limit. */
export const pgPrepared: Contender = {
  name: "pg prepared",
  library: "pg",
  open: async (url) => open(url, (name, text) => ({ name, text })),
};

function open(url: string, statement: (name: string, text: string) => { text: string }): Session {
  const pool = new Pool(poolOptions(url));
  return {
    async read(id) {
      const { rows } = await pool.query<State>({ ...statement("read", READ), values: [id] });
      return rows[0] ?? null;
    },
    async list(taskRunId) {
      const { rows } = await pool.query<State>({ ...statement("list", LIST), values: [taskRunId] });
      return rows;
    },
    async delete(id) {
      const { rowCount } = await pool.query({ ...statement("delete", DELETE), values: [id] });
      return rowCount === 1;
    },
    async record(state) {
      const { rows } = await pool.query<State>({ ...statement("record", RECORD), values: values(state) });
      const [stored] = rows;
      if (!stored) throw new Error("INSERT returned no row");
      return stored;
    },
    async recordAll(states) {
      const rows = states.map(values);
      const columns = Array.from({ length: 8 }, (_, column) => rows.map((row) => row[column]));
      await pool.query({ ...statement("record all", RECORD_ALL), values: columns });
    },
    close: () => pool.end(),
  };
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
