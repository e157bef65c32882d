import { deepEqual, doesNotMatch, equal, match } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { check, install, npm } from "../../dev/npm";
import { freePort } from "../../dev/postgres";
import { runOnServer, useNewDatabase } from "../support/database";
import { packedFiles, readPage } from "../support/documents";

/** A host application on the pages. Its files are the blocks with the tag `host=<files>`. */
interface Host {
  files: string;
  /** What it installs beside the packed package, pg and what it is compiled with. */
  packages: string[];
  type: "commonjs" | "module";
  build: string;
  /** The arguments of `node`. A host without them does all that it does when it is built. */
  start?: string[];
  /** Whether it also records and counts. */
  records?: boolean;
  /** Whether it runs without `--all`. */
  quick?: boolean;
}

const COMPILE = "tsc";
const MIGRATE = "typeorm migration:run -d dist/data-source.js";

function nestjs(version: string, typeorm: string, ...packages: string[]): string[] {
  const parts = ["common", "core", "platform-express", "typeorm"].map((part) => `@nestjs/${part}@${version}`);
  return [...parts, "rxjs@7.8.2", `typeorm@${typeorm}`, ...packages];
}

export const hosts: Record<string, Host> = {
  "NestJS 12": {
    files: "nestjs",
    packages: nestjs("12", "1.1.1"),
    type: "module",
    build: `${COMPILE} && ${MIGRATE}`,
    start: ["dist/main.js"],
    records: true,
    quick: true,
  },
};

/** Builds, starts and calls the hosts as their users would who copy them from the pages. */
export async function runDocumentedHosts(folder: string, tarball: string, serverUrl: string, all: boolean) {
  const chosen = Object.entries(hosts).filter(([, { quick }]) => all || quick);
  for (const [name, host] of chosen) {
    const directory = join(folder, name.toLowerCase().replaceAll(/\W+/g, "-"));
    await useNewDatabase(serverUrl, name);
    await check(name, async () => {
      writeHost(directory, host);
      install(directory, "--ignore-scripts", tarball, "pg@8.23.1", ...host.packages);
      npm(directory, "run", "build");
      if (host.start) await callHost(directory, host);
    });
  }
}

const pages = packedFiles()
  .filter((path) => path.endsWith(".md"))
  .map(readPage);

function writeHost(directory: string, { files, type, build }: Host): void {
  const blocks = pages.flatMap(({ blocks }) => blocks).filter(({ hosts }) => hosts.includes(files));
  for (const { argument = "", code } of blocks) {
    const path = join(directory, argument);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, code);
  }
  const manifest = { private: true, type, scripts: { build } };
  writeFileSync(join(directory, "package.json"), JSON.stringify(manifest));
  const compilerOptions = {
    target: "ES2022",
    module: "nodenext",
    types: ["node"],
    strict: true,
    skipLibCheck: true,
    experimentalDecorators: true,
    emitDecoratorMetadata: true,
    rootDir: ".",
    outDir: "dist",
  };
  writeFileSync(join(directory, "tsconfig.json"), JSON.stringify({ compilerOptions }));
}

const STATE = "019abd2c-7e00-7000-8000-000000000000";
const TASK_RUN = "1e11a41a-c634-4eb7-84df-c3953884f0c4";

async function callHost(directory: string, { start = [], records }: Host): Promise<void> {
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const databaseUrl = process.env.DATABASE_URL ?? "";
  const environment = { PORT: String(port), HISTORY_DATABASE_URL: databaseUrl, NODE_ENV: "production" };
  const host = spawn(process.execPath, start, {
    cwd: directory,
    env: { ...process.env, ...environment },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [host.stdout, host.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      log += text;
    });
  }
  try {
    await untilItAnswers(host, url);
    await callReads(url, databaseUrl);
    if (records) await callRecords(url);
    await callOnBrokenDatabase(url, databaseUrl);
    match(log, /relation "task_run_state" does not exist/);
    doesNotMatch(log, /parameters/, "The log shows the values of a statement.");
    host.kill("SIGTERM");
    await Promise.race([once(host, "exit"), setTimeout(10_000)]);
    equal(isRunning(host), false, "It goes on running after SIGTERM.");
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.stack : error}\n${log}`);
  } finally {
    host.kill("SIGKILL");
  }
}

const isRunning = ({ exitCode, signalCode }: ChildProcess) => exitCode === null && signalCode === null;

async function untilItAnswers(host: ChildProcess, url: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (isRunning(host) && performance.now() < end) {
    try {
      await fetch(url);
      return;
    } catch {
      await setTimeout(50);
    }
  }
  throw new Error("It does not answer.");
}

async function callReads(url: string, databaseUrl: string): Promise<void> {
  const missing = await fetch(`${url}/states/${STATE}`);
  equal(missing.status, 404);

  await runOnServer(
    databaseUrl,
    `INSERT INTO task_run_state (id, task_run_id, type, name) VALUES ('${STATE}', '${TASK_RUN}', 'PENDING', 'Pending')`,
  );
  const read = await fetch(`${url}/states/${STATE}`);
  equal(read.status, 200);
  equal((await read.json()).name, "Pending");

  const malformed = await fetch(`${url}/states/7`);
  equal(malformed.status, 404);
  match(await malformed.text(), /taskRunStateId must be a UUID string/);
  equal((await fetch(`${url}/states/${STATE}`)).status, 200);
}

async function callRecords(url: string): Promise<void> {
  const record = (taskRunId: string, type: string) =>
    fetch(`${url}/task-runs/${taskRunId}/states`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type }),
    });
  const recorded = await record(TASK_RUN, "RUNNING");
  equal(recorded.status, 201);
  deepEqual(
    (await recorded.json()).map(({ name }: { name: string }) => name),
    ["Pending", "Running"],
  );
  equal((await record(TASK_RUN, "SLEEPING")).status, 400);
  equal((await record("7", "RUNNING")).status, 400);
  equal(await (await fetch(`${url}/count/RUNNING`)).json(), 1);
}

/** Neither the client nor the log gets to see the values of a statement that failed. */
async function callOnBrokenDatabase(url: string, databaseUrl: string): Promise<void> {
  await runOnServer(databaseUrl, "DROP TABLE task_run_state");
  const failed = await fetch(`${url}/states/${STATE}`);
  equal(failed.status, 500);
  doesNotMatch(await failed.text(), /task_run_state/);
}
