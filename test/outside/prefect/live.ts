import { deepEqual } from "node:assert/strict";
import { join } from "node:path";
import type { DataSource, EntityManager } from "typeorm";
import { type TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { type Conversation, converse } from "../../../scripts/prefect/conversation";
import type { PrefectServer } from "../../../scripts/prefect/server";
import type { StateJson } from "./differences";

/** What the checks compare: Prefect's server at work, and a host of ours on its database. */
export interface Live {
  /** Of Prefect's version. */
  major: number;
  /** Whether there is no newer version of Prefect among those that are checked. */
  isNewest: boolean;
  prefect: PrefectServer;
  /** Prefect's own Python code on the same database. */
  worker: Conversation;
  dataSource: DataSource;
  /** Of `examples/prefect`; ends in `/api`. */
  hostUrl: string;
}

export const service = new TaskRunStateService();

export function startWorker(prefect: PrefectServer): Conversation {
  return converse(prefect.startPython(join(__dirname, "worker.py")));
}

/** Calls `main` of a Python script of this folder. */
export async function python<T>(
  { worker }: Pick<Live, "worker">,
  script: string,
  ...args: unknown[]
): Promise<T> {
  const { result, error } = (await worker({ script, args })) as { result: T; error?: string };
  if (error) throw new Error(error);
  return result;
}

export interface Answer {
  status: number;
  body: unknown;
}

export async function ask(url: string, path: string): Promise<Answer> {
  const response = await fetch(`${url}${path}`);
  return { status: response.status, body: await response.json() };
}

export async function send(url: string, path: string, body: object): Promise<Record<string, unknown>> {
  const headers = { "content-type": "application/json" };
  const response = await fetch(`${url}${path}`, { method: "POST", headers, body: JSON.stringify(body) });
  const answer = await response.text();
  if (!response.ok) throw new Error(`POST ${path}: ${response.status} ${answer}`);
  return JSON.parse(answer);
}

/** The entity as JSON, with the names of the columns. */
export function columnsOf(state: TaskRunState): StateJson {
  const { taskRunId, stateDetails, resultArtifactId, ...others } = JSON.parse(JSON.stringify(state));
  return {
    ...others,
    task_run_id: taskRunId,
    state_details: stateDetails,
    result_artifact_id: resultArtifactId,
  };
}

/** All rows of the table as PostgreSQL shows them in JSON, by id. */
export async function readRows(manager: EntityManager): Promise<Map<string, StateJson>> {
  const rows: { row: StateJson }[] = await manager.query("SELECT to_jsonb(s) AS row FROM task_run_state s");
  return new Map(rows.map(({ row }) => [String(row.id), row]));
}

/** Fails, with the first of them, when there are any. */
export function assertNone(differences: string[]): void {
  const more = differences.length > 5 ? [`and ${differences.length - 5} more`] : [];
  deepEqual([...differences.slice(0, 5), ...more], []);
}
