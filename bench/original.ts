import type { Client } from "pg";

/**
 * Prefect's own table with its constraints and indexes, as its migrations leave them on PostgreSQL: a unique index
 * where this module has a plain one, four more indexes, and foreign keys, of whose tables there are only the ids.
 */
export async function createOriginal(client: Client, schema: string): Promise<void> {
  await client.query(`
    CREATE SCHEMA ${schema};
    CREATE TYPE ${schema}.state_type AS ENUM ('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED',
      'CRASHED', 'PAUSED', 'CANCELLING');
    CREATE TABLE ${schema}.task_run (id uuid PRIMARY KEY);
    CREATE TABLE ${schema}.artifact (id uuid PRIMARY KEY);
    CREATE TABLE ${schema}.task_run_state (
      id uuid DEFAULT gen_random_uuid() NOT NULL,
      created timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
      updated timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
      type ${schema}.state_type NOT NULL,
      timestamp timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
      name varchar NOT NULL,
      message varchar,
      state_details jsonb DEFAULT '{}' NOT NULL,
      data jsonb,
      task_run_id uuid NOT NULL REFERENCES ${schema}.task_run (id) ON DELETE CASCADE,
      result_artifact_id uuid REFERENCES ${schema}.artifact (id) ON DELETE SET NULL,
      CONSTRAINT pk_task_run_state PRIMARY KEY (id)
    );
    CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc
      ON ${schema}.task_run_state (task_run_id, timestamp DESC);
    CREATE INDEX ix_task_run_state__name ON ${schema}.task_run_state (name);
    CREATE INDEX ix_task_run_state__type ON ${schema}.task_run_state (type);
    CREATE INDEX ix_task_run_state__updated ON ${schema}.task_run_state (updated);
    CREATE INDEX ix_task_run_state__result_artifact_id ON ${schema}.task_run_state (result_artifact_id);`);
}
