import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseError } from "pg";
import {
  AbstractLogger,
  DataSource,
  type EntityManager,
  QueryFailedError,
  QueryRunnerAlreadyReleasedError,
} from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, poolOf, runOnServer, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { sessionsWaitingFor, whileTableIsLocked } from "./support/locked-table";
import { startPostgresProcess } from "./support/postgres-process";
import { until } from "./support/until";

const database = useDatabase();
const service = new TaskRunStateService();

const read = (manager: EntityManager) => service.readTaskRunState(manager, randomUUID());

test("a call whose connection breaks fails with TypeORM's error, without a code, and the next one works", async () => {
  const host = await database.connect({ poolSize: 1 });
  const others = await database.connect();
  const client = await poolOf(host).connect();
  client.release();
  const failure = await whileTableIsLocked(others, async (holder) => {
    const failure = failureOf(read(host.manager));
    await sessionsWaitingFor(holder);
    const { stream } = (client as unknown as { connection: { stream: { destroy(): void } } }).connection;
    stream.destroy();
    return failure;
  });
  expect(failure).toBeInstanceOf(QueryFailedError);
  expect((failure as QueryFailedError).driverError).not.toHaveProperty("code");
  expect(await read(host.manager)).toBeNull();
  expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
});

test("a transaction whose session ends between two statements fails with TypeORM's QueryRunnerAlreadyReleasedError", async () => {
  const host = await database.connect({ poolSize: 1 });
  const others = await database.connect();
  const failure = await failureOf(
    host.transaction(async (manager) => {
      const [{ pid }] = await manager.query("SELECT pg_backend_pid() AS pid");
      const removed = once(poolOf(host), "remove");
      await others.query("SELECT pg_terminate_backend($1)", [pid]);
      await removed;
      await read(manager);
    }),
  );
  expect(failure).toBeInstanceOf(QueryRunnerAlreadyReleasedError);
  expect(await read(host.manager)).toBeNull();
});

test("the end of an idle connection is told to a logger that shows warnings, and to no other", async () => {
  class Collecting extends AbstractLogger {
    readonly lines: string[] = [];
    protected writeLog(_: unknown, message: unknown): void {
      this.lines.push(JSON.stringify(message));
    }
  }
  const others = await database.connect();
  const lines: string[][] = [];
  for (const level of ["warn", "error"] as const) {
    const logger = new Collecting([level]);
    const host = await database.connect({ poolSize: 1, logger });
    const [{ pid }] = await host.query("SELECT pg_backend_pid() AS pid");
    const removed = new Promise((resolve) => poolOf(host).once("remove", resolve));
    await others.query("SELECT pg_terminate_backend($1)", [pid]);
    await removed;
    lines.push(logger.lines);
  }
  expect(lines).toEqual([[expect.stringContaining("Postgres pool raised an error.")], []]);
});

test("where no connection can be had, a call fails with pg's error and its code, which is not TypeORM's", async () => {
  const server = await startPostgresProcess();
  await runOnServer(server.url, "CREATE ROLE limited LOGIN CONNECTION LIMIT 1");
  const url = new URL(server.url);
  url.username = "limited";
  const host = new DataSource({ type: "postgres", url: url.href, entities: [TaskRunState] });
  try {
    await host.initialize();
    const runner = host.createQueryRunner();
    await runner.connect();
    const errors = [await failureOf(read(host.manager))];
    const [pid = ""] = readFileSync(join(server.data, "postmaster.pid"), "utf8").split("\n");
    process.kill(Number(pid), "SIGTERM"); // It takes no new sessions, and ends with the last one.
    errors.push(await failureOf(read(host.manager)));
    await runner.release();
    await host.destroy();
    const codeOf = (error: unknown) => (error as { code?: string }).code;
    const ended = async () => {
      const error = await failureOf(host.initialize());
      return codeOf(error) === "ECONNREFUSED" && error; // Not while it ends.
    };
    errors.push(await until(ended));
    expect(errors.map(codeOf)).toEqual(["53300", "57P03", "ECONNREFUSED"]);
    expect(errors.map((error) => error instanceof DatabaseError)).toEqual([true, true, false]);
    expect(errors.filter((error) => error instanceof QueryFailedError)).toEqual([]);
  } finally {
    if (host.isInitialized) await host.destroy();
    await server.stop();
  }
});
