/**
 * The table as a migrated Prefect 3 server has it: a unique index where this module has a plain one, four more indexes,
 * and foreign keys to two tables, of which there is the least that they need.
 */
export const PREFECT_TABLE = `
  CREATE TYPE state_type AS ENUM ('SCHEDULED', 'PENDING', 'RUNNING', 'COMPLETED', 'FAILED', 'CANCELLED',
    'CRASHED', 'PAUSED', 'CANCELLING');
  CREATE TABLE task_run (id uuid PRIMARY KEY);
  CREATE TABLE artifact (id uuid PRIMARY KEY);
  CREATE TABLE task_run_state (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    created timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    updated timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    type state_type NOT NULL,
    "timestamp" timestamptz DEFAULT CURRENT_TIMESTAMP NOT NULL,
    name varchar NOT NULL,
    message varchar,
    state_details jsonb DEFAULT '{}' NOT NULL,
    data jsonb,
    task_run_id uuid NOT NULL,
    result_artifact_id uuid,
    CONSTRAINT pk_task_run_state PRIMARY KEY (id),
    CONSTRAINT fk_task_run_state__task_run_id__task_run
      FOREIGN KEY (task_run_id) REFERENCES task_run (id) ON DELETE CASCADE,
    CONSTRAINT fk_task_run_state__result_artifact_id__artifact
      FOREIGN KEY (result_artifact_id) REFERENCES artifact (id) ON DELETE SET NULL
  );
  CREATE UNIQUE INDEX uq_task_run_state__task_run_id_timestamp_desc
    ON task_run_state (task_run_id, "timestamp" DESC);
  CREATE INDEX ix_task_run_state__name ON task_run_state (name);
  CREATE INDEX ix_task_run_state__type ON task_run_state (type);
  CREATE INDEX ix_task_run_state__updated ON task_run_state (updated);
  CREATE INDEX ix_task_run_state__result_artifact_id ON task_run_state (result_artifact_id);
`;
