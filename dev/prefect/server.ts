import { type ChildProcess, execFile, spawn } from "node:child_process";
import { mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { promisify } from "node:util";

import { freePort } from "../postgres";

const START_SECONDS = 60;

/** How many of the last lines of a failed program's output are worth reading. */
const LINES_OF_ERROR = 20;

/** A server of Prefect's own, on the loopback interface, that keeps its data in a PostgreSQL database. */
export interface PrefectServer {
  /** Ends in `/api`. */
  url: string;
  /** Runs a Python script that has Prefect, this server and its database at hand; resolves to what it prints. */
  python(script: string, ...args: string[]): Promise<string>;
  /** Ends the server and the scripts, and removes Prefect's files. An exit of the process does it too. */
  stop(): void;
}

/** Makes or upgrades Prefect's tables in the database, and starts the server on them. */
export async function startPrefect(bin: string, databaseUrl: string): Promise<PrefectServer> {
  const home = mkdtempSync(join(tmpdir(), "task-run-state-prefect-"));
  const running = new Set<ChildProcess>();
  const stop = () => {
    process.off("exit", stop);
    for (const child of running) kill(child);
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  };
  process.once("exit", stop);

  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api`;
  const env = {
    ...withoutSettings(process.env),
    PREFECT_HOME: home,
    PREFECT_API_URL: url,
    PREFECT_API_DATABASE_CONNECTION_URL: databaseUrl.replace(/^postgres(ql)?:/, "postgresql+asyncpg:"),
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    DO_NOT_TRACK: "1",
    PREFECT_LOGGING_LEVEL: "CRITICAL",
    PREFECT_LOGGING_TO_API_ENABLED: "false",
  };
  const run = async (program: string, ...args: string[]): Promise<string> => {
    const options = { cwd: home, env, maxBuffer: 2 ** 28, detached: true };
    const finished = promisify(execFile)(join(bin, program), args, options);
    running.add(finished.child);
    try {
      return (await finished).stdout;
    } catch (error) {
      const { stderr = "" } = error as { stderr?: string };
      throw new Error(
        `${program} ${args[0]} failed:\n${stderr.split("\n").slice(-LINES_OF_ERROR).join("\n")}`,
      );
    } finally {
      running.delete(finished.child);
    }
  };

  await run("prefect", "server", "database", "upgrade", "-y");

  const log = join(home, "log");
  const address = ["--host", "127.0.0.1", "--port", String(port), "--no-ui"];
  const output = openSync(log, "a");
  const server = spawn(join(bin, "prefect"), ["server", "start", ...address], {
    cwd: home,
    env,
    detached: true,
    stdio: ["ignore", output, output],
  });
  running.add(server);
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!(await isHealthy(url))) {
    if (server.exitCode === null && performance.now() < deadline) await setTimeout(100);
    else throw new Error(`Prefect's server did not start:\n${readFileSync(log, "utf8")}`);
  }
  return { url, python: (...args) => run("python", ...args), stop };
}

/** Ends its process group, which may outlive it. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, "SIGKILL");
  } catch {} // Nothing is left of the group.
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}

/** What the caller has set for a Prefect of its own must not reach this one. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("PREFECT_")));
}
