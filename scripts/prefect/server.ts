import type { ChildProcess } from "node:child_process";
import { openSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { freePort } from "../postgres";
import { programsOn } from "./programs";

const START_SECONDS = 120;

/** A server of Prefect's own, on the loopback interface, that keeps its data in a PostgreSQL database. */
export interface PrefectServer {
  /** Ends in `/api`. */
  url: string;
  /** Runs a Python script that has Prefect, this server and its database at hand; resolves to what it prints. */
  python(script: string, ...args: string[]): Promise<string>;
  /** Starts such a script, with pipes for its input and its output. */
  startPython(script: string): ChildProcess;
  /** Ends the server and the scripts, and removes Prefect's files. An exit of the process does it too. */
  stop(): void;
}

/** Starts the server, which makes or upgrades Prefect's tables in the database. */
export async function startPrefect(bin: string, databaseUrl: string): Promise<PrefectServer> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}/api`;
  const { home, run, start, stop } = programsOn(databaseUrl, bin, { PREFECT_API_URL: url });

  const log = join(home, "log");
  const output = openSync(log, "a");
  const address = ["--host", "127.0.0.1", "--port", String(port), "--no-ui"];
  const server = start("prefect", ["server", "start", ...address], ["ignore", output, output]);
  const deadline = performance.now() + START_SECONDS * 1000;
  while (!(await isHealthy(url))) {
    if (server.exitCode === null && performance.now() < deadline) await setTimeout(100);
    else throw new Error(`Prefect's server did not start:\n${readFileSync(log, "utf8")}`);
  }
  return {
    url,
    python: (...args) => run("python", ...args),
    startPython: (script) => start("python", [script], ["pipe", "pipe", "inherit"]),
    stop,
  };
}

async function isHealthy(url: string): Promise<boolean> {
  return fetch(`${url}/health`).then(
    ({ ok }) => ok,
    () => false,
  );
}
