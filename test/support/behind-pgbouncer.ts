import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import { Client } from "pg";
import { DataSource, type EntityManager, QueryFailedError } from "typeorm";
import {
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";

import { startPgBouncer } from "../../scripts/pgbouncer";

const ROUNDS = 20;
const CALLERS_OF_EACH = 8;
const SERVER_CONNECTIONS = 3;

export interface Report {
  /** The answers of the calls outside of transactions: "right", "wrong" or the code of an error. */
  alone: Record<string, number>;
  /** The outcomes of transactions, likewise. */
  transactions: Record<string, number>;
}

const service = new TaskRunStateService();

/** Two programs that prepare, of eight callers each, share three connections to the server, behind PgBouncer. */
async function main(): Promise<void> {
  const pgBouncer = await startPgBouncer(process.env.DATABASE_URL ?? "", SERVER_CONNECTIONS);
  const report: Report = { alone: {}, transactions: {} };
  const programs = [0, 1].map(
    () =>
      new DataSource({
        type: "postgres",
        url: pgBouncer.url,
        entities: [TaskRunState],
        extra: { max: CALLERS_OF_EACH, Client: withPreparedStatements(Client) },
      }),
  );
  const caller = async ({ manager }: DataSource) => {
    for (let round = 0; round < ROUNDS; round++) {
      await count(report.alone, work(manager));
      await count(report.transactions, manager.transaction(work));
    }
  };
  await Promise.all(programs.map((program) => program.initialize()));
  await Promise.all(
    programs.flatMap((program) => Array.from({ length: CALLERS_OF_EACH }, () => caller(program))),
  );
  await Promise.all(programs.map((program) => program.destroy()));
  await pgBouncer.stop();
  console.log(JSON.stringify(report));
}

async function work(manager: EntityManager): Promise<boolean> {
  const { id, taskRunId } = await recordTaskRunState(manager, { taskRunId: randomUUID(), type: "PENDING" });
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "RUNNING" }]);
  const latest = await readLatestTaskRunStates(manager, [taskRunId]);
  const read = await service.readTaskRunState(manager, id);
  const listed = await service.readTaskRunStates(manager, taskRunId);
  const deleted = await service.deleteTaskRunState(manager, id);
  const gone = await service.readTaskRunState(manager, id);
  const answers = [read?.id, listed.map((state) => state.id), latest.get(taskRunId)?.id, deleted, gone];
  return isDeepStrictEqual(answers, [id, [id, last?.id], last?.id, true, null]);
}

async function count(outcomes: Record<string, number>, working: Promise<boolean>): Promise<void> {
  const outcome = await working.then(
    (right) => (right ? "right" : "wrong"),
    (error) => (error instanceof QueryFailedError ? error.driverError.code : error.message),
  );
  outcomes[outcome] = (outcomes[outcome] ?? 0) + 1;
}

main();
