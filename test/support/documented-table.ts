import { randomUUID } from "node:crypto";
import type { NewTaskRunState } from "typeorm-task-run-state";

import type { Catalog } from "./catalog";

/** The labels of `task_run_state_type` in the order in which PostgreSQL sorts them. */
export const LABELS = [
  "SCHEDULED",
  "PENDING",
  "RUNNING",
  "COMPLETED",
  "FAILED",
  "CANCELLED",
  "CRASHED",
  "PAUSED",
  "CANCELLING",
];

/** The catalog of a schema that has the table as it is documented, and nothing else. */
export function documentedTable(schema = "public"): Catalog {
  const column = (name: string, type: string, nullable = false, byDefault: string | null = null) => ({
    name,
    type,
    nullable,
    default: byDefault,
  });
  return {
    columns: [
      column("id", "uuid", false, "uuid_in(uuid_out(gen_random_uuid()))"),
      column("created", "timestamp with time zone", false, "now()"),
      column("updated", "timestamp with time zone", false, "now()"),
      column("type", schema === "public" ? "task_run_state_type" : `${schema}.task_run_state_type`),
      column("timestamp", "timestamp with time zone", false, "clock_timestamp()"),
      column("name", "character varying"),
      column("message", "character varying", true),
      column("state_details", "jsonb", false, "'{}'::jsonb"),
      column("data", "jsonb", true),
      column("task_run_id", "uuid"),
      column("result_artifact_id", "uuid", true),
    ],
    constraints: { pk_task_run_state: "PRIMARY KEY (id)" },
    indexes: {
      pk_task_run_state: `CREATE UNIQUE INDEX pk_task_run_state ON ${schema}.task_run_state USING btree (id)`,
      ix_task_run_state__task_run_id_timestamp: `CREATE INDEX ix_task_run_state__task_run_id_timestamp ON ${schema}.task_run_state USING btree (task_run_id, "timestamp")`,
    },
    enums: { task_run_state_type: LABELS },
    tables: ["task_run_state"],
  };
}

/** A new state with a value for each column that can be given. */
export function fullState(): Required<NewTaskRunState> {
  return {
    id: randomUUID(),
    taskRunId: randomUUID(),
    type: "PAUSED",
    timestamp: new Date("2024-02-29T23:59:59.999Z"),
    name: "Waiting for 'approval' — ⏳",
    message: 'line one\nline two\t"quoted" \\ {braces} $1 ; DROP TABLE task_run_state --',
    stateDetails: { pause_key: "approve-1", pause_reschedule: true, custom: { nested: [1, "two", null] } },
    data: [{ deep: { list: [[], {}, 0.1, -1e300] } }, null, "text", false],
    resultArtifactId: randomUUID(),
  };
}

/** The catalog of a schema that has nothing of it. */
export const NOTHING: Catalog = { columns: [], constraints: {}, indexes: {}, enums: {}, tables: [] };
