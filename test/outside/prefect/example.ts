import { deepEqual, equal, match } from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { text } from "node:stream/consumers";

import { StateType, TaskRunState } from "typeorm-task-run-state";

import { freePort } from "../../../scripts/postgres";
import type { Live } from "./live";

export interface Host {
  /** Ends in `/api`. */
  url: string;
  stop(): Promise<void>;
}

/** Starts examples/prefect as `npm run prefect -w examples` does. It ends with this process at the latest. */
export async function startHost(databaseUrl: string): Promise<Host> {
  const port = await freePort();
  const host = start("main.ts", { DATABASE_URL: databaseUrl, PORT: String(port) });
  const kill = () => host.kill("SIGKILL");
  process.once("exit", kill);
  const [started] = await Promise.race([once(host.stdout, "data"), once(host, "exit")]);
  match(String(started), /^Listening/);
  const stop = async () => {
    host.kill("SIGTERM");
    const [code] = await once(host, "exit");
    process.off("exit", kill);
    equal(code, 0);
  };
  return { url: `http://127.0.0.1:${port}/api`, stop };
}

/** Runs the example on databases that are none of Prefect's, and has it draw histories. */
export async function useExample({ dataSource }: Live): Promise<string> {
  const databaseUrl = process.env.DATABASE_URL ?? "";
  const [newest] = await dataSource.manager.find(TaskRunState, {
    where: { type: StateType.COMPLETED },
    order: { timestamp: "DESC" },
    take: 1,
  });
  const taskRunId = newest?.taskRunId ?? "";
  const otherDatabase = new URL("postgres", databaseUrl).href;
  const refusals = [
    { url: "", reason: /^DATABASE_URL is missing: set it to / },
    {
      url: "postgres://127.0.0.1:1/nowhere",
      reason: /^Cannot connect to PostgreSQL \(.*ECONNREFUSED.*\): check DATABASE_URL, or set it to /,
    },
    {
      url: otherDatabase,
      reason: /^DATABASE_URL names a database without Prefect's tables \(.*artifact\): set it to /,
    },
  ];
  const refuse = async ({ url, reason }: (typeof refusals)[0]) => {
    const { code, stdout, stderr } = await run("main.ts", url);
    deepEqual({ code, stdout }, { code: 1, stdout: "" });
    match(stderr, new RegExp(`${reason.source}[^\n]*\n$`));
  };
  const asPrefectNamesIt = databaseUrl.replace(/^postgres:/, "postgresql+asyncpg:");
  const [drawn, drawnNewest, refused] = await Promise.all([
    run("history.ts", databaseUrl, taskRunId),
    run("history.ts", asPrefectNamesIt),
    run("history.ts", databaseUrl, "7"),
    ...refusals.map(refuse),
  ]);
  match(
    drawn.stdout,
    new RegExp(`^\nTask run ${taskRunId}, from .*\n +\\+0 ms +Pending .*\n.* Running .*\n.* Completed `),
  );
  match(drawnNewest.stdout, /^\nTask run .*\n +\+0 ms /);
  match(refused.stderr, /^taskRunId must be a UUID string .*\n$/);
  return `${refusals.length} databases refused in one line each, 2 histories drawn`;
}

async function run(script: string, databaseUrl: string, ...args: string[]) {
  const program = start(script, { DATABASE_URL: databaseUrl }, ...args);
  const [stdout, stderr, [code]] = await Promise.all([
    text(program.stdout),
    text(program.stderr),
    once(program, "exit"),
  ]);
  return { code, stdout, stderr };
}

function start(script: string, env: NodeJS.ProcessEnv, ...args: string[]) {
  return spawn(process.execPath, ["--import", "tsx", `examples/prefect/${script}`, ...args], {
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
}
