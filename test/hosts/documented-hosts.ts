import { doesNotMatch, equal, match, ok } from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { check } from "../../dev/check";
import { install, npm } from "../../dev/npm";
import { freePort } from "../../dev/postgres";
import { runOnServer, useNewDatabase } from "../support/database";
import { packedFiles, readPage } from "../support/documents";

/** An application that the pages show: its files are the blocks that `host=` names it in. */
interface DocumentedHost {
  name: string;
  /** How the pages call it. */
  tag: string;
  /** What it installs besides the packed package. */
  packages: string[];
  /** Of its modules. */
  type: "commonjs" | "module";
  /** Makes it ready to start. */
  build: string;
  /** The arguments of `node`; none where the build has shown everything. */
  start?: string[];
  /** Whether it records and counts, too. */
  records?: boolean;
  /** Whether it runs only with `--all`. */
  slow?: boolean;
}

const server = ["pg@8.23.1", "typescript@7.0.2", "@types/node@20.19.43"];
const express5 = ["express@5.3.0", "@types/express@5.0.6"];
const express4 = ["express@4.22.1", "@types/express@4.17.25"];
const nestjs = (version: string, typeorm: string) => [
  ...server,
  `typeorm@${typeorm}`,
  "rxjs@7.8.2",
  ...["common", "core", "platform-express", "typeorm"].map((part) => `@nestjs/${part}@${version}`),
];
const migrated = "tsc && typeorm migration:run -d dist/data-source.js";

export const documentedHosts: DocumentedHost[] = [
  {
    name: "Express 5",
    tag: "express-5",
    packages: [...server, "typeorm@1.1.1", ...express5],
    type: "module",
    build: migrated,
    start: ["dist/app.js"],
  },
  {
    name: "Express 4",
    tag: "express-4",
    packages: [...server, "typeorm@0.3.31", ...express4],
    type: "module",
    build: migrated,
    start: ["dist/app.js"],
  },
  {
    name: "Fastify 5",
    tag: "fastify",
    packages: [...server, "typeorm@1.1.1", "fastify@5.12.8"],
    type: "module",
    build: migrated,
    start: ["dist/app.js"],
  },
  {
    name: "NestJS 12",
    tag: "nestjs",
    packages: nestjs("12", "1.1.1"),
    type: "module",
    build: migrated,
    start: ["dist/main.js"],
    records: true,
  },
  {
    name: "NestJS 11",
    tag: "nestjs",
    packages: nestjs("11", "1.1.1"),
    type: "commonjs",
    build: migrated,
    start: ["dist/main.js"],
    records: true,
    slow: true,
  },
  {
    name: "NestJS 11 with TypeORM 0.3, and its test on PGlite",
    tag: "nestjs-pglite",
    packages: [...nestjs("11", "0.3.31"), "typeorm-pglite@0.3.4", "@electric-sql/pglite@0.5.16"],
    type: "commonjs",
    build: `${migrated} && node --test dist/task-runs.service.test.js`,
    start: ["dist/main.js"],
    records: true,
  },
  {
    name: "NestJS 10 with reflect-metadata 0.1",
    tag: "nestjs",
    packages: [...nestjs("10", "0.3.27"), "reflect-metadata@0.1.14"],
    type: "commonjs",
    build: migrated,
    start: ["dist/main.js"],
    records: true,
    slow: true,
  },
  {
    name: "NestJS 10 with reflect-metadata 0.1 beside TypeORM's own 0.2",
    tag: "nestjs",
    packages: [...nestjs("10", "0.3.31"), "reflect-metadata@0.1.14"],
    type: "commonjs",
    build: migrated,
    start: ["dist/main.js"],
    records: true,
  },
  {
    name: "NestJS 12 with a named data source",
    tag: "nestjs-named",
    packages: nestjs("12", "1.1.1"),
    type: "module",
    build: "tsc",
    start: ["dist/main.js"],
  },
  {
    name: "NestJS 12 with nestjs-cls",
    tag: "nestjs-cls",
    packages: [
      ...nestjs("12", "1.1.1"),
      "nestjs-cls@6.3.1",
      "@nestjs-cls/transactional@3.3.0",
      "@nestjs-cls/transactional-adapter-typeorm@1.4.1",
    ],
    type: "module",
    build: migrated,
    start: ["dist/main.js"],
    records: true,
    slow: true,
  },
  {
    name: "webpack",
    tag: "webpack",
    packages: [...server, "typeorm@1.1.1", ...express5, "webpack@5.112.2", "webpack-cli@7.3.1"],
    type: "module",
    build: `${migrated} && webpack`,
    start: ["bundle/app.cjs"],
    slow: true,
  },
  {
    name: "Next",
    tag: "next",
    packages: [
      ...server,
      "typeorm@1.1.1",
      "next@16.4.6",
      "react@19.3.1",
      "react-dom@19.3.1",
      "@types/react@19.3.0",
    ],
    type: "module",
    build: "next build && tsx node_modules/typeorm/cli.js migration:run -d data-source.ts",
    start: ["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1"],
    slow: true,
  },
];

/** Copies the hosts from the pages, each with installed packages of its own, and starts and calls them. */
export async function runDocumentedHosts(
  folder: string,
  tarball: string,
  serverUrl: string,
  all: boolean,
): Promise<void> {
  process.env.NEXT_TELEMETRY_DISABLED = "1";
  for (const host of documentedHosts) {
    if (host.slow && !all) continue;
    const directory = join(folder, host.name.replaceAll(/\W+/g, "-"));
    await useNewDatabase(serverUrl, host.name);
    await check(host.name, async () => {
      writeHost(directory, host);
      install(directory, "--ignore-scripts", tarball, ...host.packages);
      npm(directory, "run", "build");
      if (host.start) await callHost(directory, host);
    });
  }
}

function writeHost(directory: string, { tag, type, build }: DocumentedHost): void {
  const pages = packedFiles().filter((path) => path.endsWith(".md"));
  const blocks = pages.flatMap((path) => readPage(path).blocks).filter(({ hosts }) => hosts.includes(tag));
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), content);
  };
  for (const { argument = "", code } of blocks) write(argument, code);
  write("package.json", JSON.stringify({ private: true, type, scripts: { build } }));
  if (build.startsWith("tsc")) write("tsconfig.json", JSON.stringify({ compilerOptions }));
}

/** As Nest's own command line sets them for a new application, and strict. */
const compilerOptions = {
  target: "ES2022",
  module: "nodenext",
  types: ["node"],
  strict: true,
  noImplicitOverride: true,
  experimentalDecorators: true,
  emitDecoratorMetadata: true,
  skipLibCheck: true,
  rootDir: ".",
  outDir: "dist",
};

const STATE_ID = "019abd2c-7e00-7000-8000-000000000000";
const TASK_RUN_ID = "1e11a41a-c634-4eb7-84df-c3953884f0c4";

async function callHost(directory: string, { start = [], records }: DocumentedHost): Promise<void> {
  const databaseUrl = process.env.DATABASE_URL ?? "";
  const port = String(await freePort());
  const host = spawn(process.execPath, start, {
    cwd: directory,
    env: { ...process.env, PORT: port, HISTORY_DATABASE_URL: databaseUrl, NODE_ENV: "production" },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let log = "";
  for (const stream of [host.stdout, host.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      log += text;
    });
  }
  try {
    const url = `http://127.0.0.1:${port}`;
    await untilItAnswers(host, url);
    await read(url, databaseUrl);
    if (records) await record(url);
    await readWithoutTable(url, databaseUrl);

    host.kill("SIGTERM");
    await Promise.race([once(host, "close"), setTimeout(10_000)]);
    ok(!isRunning(host), "It goes on running after SIGTERM.");
    match(log, /relation \\?"task_run_state\\?" does not exist/);
    doesNotMatch(log, /parameters/, "The log shows the values of a statement.");
  } catch (error) {
    throw new Error(`${error instanceof Error ? error.message : error}\n${log}`);
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

async function read(url: string, databaseUrl: string): Promise<void> {
  const stateUrl = `${url}/states/${STATE_ID}`;
  equal((await fetch(stateUrl)).status, 404);
  await runOnServer(
    databaseUrl,
    `INSERT INTO task_run_state (id, task_run_id, type, name) VALUES ('${STATE_ID}', '${TASK_RUN_ID}', 'PENDING', 'Pending')`,
  );
  const recorded = await fetch(stateUrl);
  equal(recorded.status, 200);
  match(await recorded.text(), /"name":"Pending"/);

  const malformed = await fetch(`${url}/states/7`);
  equal(malformed.status, 404);
  match(await malformed.text(), /taskRunStateId must be a UUID string/);
  equal((await fetch(stateUrl)).status, 200);
}

async function record(url: string): Promise<void> {
  const post = (taskRunId: string, type: string) =>
    fetch(`${url}/task-runs/${taskRunId}/states`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ type }),
    });
  const recorded = await post(TASK_RUN_ID, "RUNNING");
  equal(recorded.status, 201);
  match(await recorded.text(), /"name":"Pending".*"name":"Running"/);
  equal((await post(TASK_RUN_ID, "SLEEPING")).status, 400);
  equal((await post("7", "RUNNING")).status, 400);
  equal(await (await fetch(`${url}/count/RUNNING`)).text(), "1");
}

async function readWithoutTable(url: string, databaseUrl: string): Promise<void> {
  await runOnServer(databaseUrl, "DROP TABLE task_run_state");
  const failed = await fetch(`${url}/states/${STATE_ID}`);
  equal(failed.status, 500);
  doesNotMatch(await failed.text(), /task_run_state/, "The client learns of the table.");
}
