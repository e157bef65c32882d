import { doesNotMatch, equal, match, notEqual, ok } from "node:assert/strict";
import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { freePort } from "../../../scripts/postgres";
import { callHost, post } from "../../support/call-host";
import { runOnServer, useNewDatabase } from "../../support/database";
import { pageFiles, readPage, root } from "../../support/documents";

/** An application that the pages show: the files of an example, and the blocks that `host=` names it in. */
interface DocumentedHost {
  name: string;
  /** How the pages call it, where blocks of its own add to the example or take the place of its files. */
  tag?: string;
  /** Folders and files below `examples`. */
  examples: readonly string[];
  /** What else differs, as the page says it in words: the file, what stands there, and what is to stand there. */
  changes?: [file: string, from: string | RegExp, to: string][];
  /** What it installs besides the packed package. */
  packages: string[];
  /** Of its modules. */
  type: "commonjs" | "module";
  /** Makes it ready to start. */
  build: string;
  /** The arguments of `node`. */
  start: readonly string[];
  /** Whether it connects at the first request, which fails here, since there is no such database yet. */
  connectsLate?: boolean;
  /** Whether its times have microseconds in JSON. */
  precise?: boolean;
  /** Whether it runs only with `--all`. */
  slow?: boolean;
}

const server = ["pg@8.23.1", "typescript@7.0.2", "@types/node@20.19.43"];
const express5 = ["express@5.3.0", "@types/express@5.0.6"];
const express4 = ["express@4.22.1", "@types/express@4.17.25"];
export const nestjs = (version: string, typeorm: string) => [
  ...server,
  `typeorm@${typeorm}`,
  "rxjs@7.8.2",
  "class-validator@0.15.1",
  "class-transformer@0.5.1",
  ...["common", "core", "platform-express", "typeorm"].map((part) => `@nestjs/${part}@${version}`),
];
const migrated = "tsc && typeorm migration:run -d dist/data-source.js";
const zod = "zod@4.6.7";
const nestjsExample = {
  examples: ["nestjs"],
  type: "module",
  build: migrated,
  start: ["dist/main.js"],
} as const;

export const documentedHosts: DocumentedHost[] = [
  {
    name: "Express 5",
    examples: ["express"],
    packages: [...server, "typeorm@1.1.1", ...express5, zod],
    type: "module",
    build: migrated,
    start: ["dist/main.js"],
  },
  {
    name: "Express 4",
    examples: ["express"],
    changes: [
      [
        "app.ts",
        ', Router } from "express";',
        ' } from "express";\nimport Router from "express-promise-router";',
      ],
    ],
    packages: [...server, "typeorm@0.3.31", ...express4, "express-promise-router@4.1.1", zod],
    type: "commonjs",
    build: migrated,
    start: ["dist/main.js"],
  },
  {
    name: "Fastify 5, with microseconds",
    examples: ["fastify", "prefect/precise-date.ts"],
    changes: [
      ["data-source.ts", "import", 'import { preciseTypes } from "./precise-date.js";\nimport'],
      ["data-source.ts", "migrations, //", "extra: { types: preciseTypes },\n  migrations, //"],
    ],
    packages: [...server, "@types/pg@8.23.1", "typeorm@1.1.1", "fastify@5.12.8"],
    type: "module",
    build: migrated,
    start: ["dist/app.js"],
    precise: true,
  },
  { ...nestjsExample, name: "NestJS 12", packages: nestjs("12", "1.1.1") },
  { ...nestjsExample, name: "NestJS 11", packages: nestjs("11", "1.1.1"), type: "commonjs", slow: true },
  {
    ...nestjsExample,
    name: "NestJS 11 with TypeORM 0.3, and its test on PGlite",
    tag: "nestjs-pglite",
    packages: [...nestjs("11", "0.3.31"), "typeorm-pglite@0.3.4", "@electric-sql/pglite@0.5.16"],
    type: "commonjs",
    build: `${migrated} && node --test dist/task-runs.service.test.js`,
  },
  {
    ...nestjsExample,
    name: "NestJS 10 with reflect-metadata 0.1",
    packages: [...nestjs("10", "0.3.27"), "reflect-metadata@0.1.14"],
    type: "commonjs",
    slow: true,
  },
  {
    ...nestjsExample,
    name: "NestJS 10 with reflect-metadata 0.1 beside TypeORM's own 0.2",
    packages: [...nestjs("10", "0.3.31"), "reflect-metadata@0.1.14"],
    type: "commonjs",
  },
  {
    ...nestjsExample,
    name: "NestJS 12 with a named data source",
    changes: [
      ["app.module.ts", "forRoot(options)", 'forRoot({ ...options, name: "history" })'],
      ["task-runs.service.ts", "@InjectEntityManager()", '@InjectEntityManager("history")'],
    ],
    packages: nestjs("12", "1.1.1"),
  },
  {
    ...nestjsExample,
    name: "NestJS 12 with nestjs-cls",
    tag: "nestjs-cls",
    changes: [
      [
        "task-runs.service.ts",
        /import { InjectEntityManager.*/,
        'import { InjectTransaction, Transactional } from "@nestjs-cls/transactional";',
      ],
      ["task-runs.service.ts", "@InjectEntityManager()", "@InjectTransaction()"],
      ["task-runs.service.ts", "record(", "@Transactional()\n  async record("],
      [
        "task-runs.service.ts",
        "return this.manager.transaction(async (manager) => {",
        "const { manager } = this;",
      ],
      ["task-runs.service.ts", "    });\n", ""],
    ],
    packages: [
      ...nestjs("12", "1.1.1"),
      "nestjs-cls@6.3.1",
      "@nestjs-cls/transactional@3.3.0",
      "@nestjs-cls/transactional-adapter-typeorm@1.4.1",
    ],
    slow: true,
  },
  {
    name: "webpack",
    tag: "webpack",
    examples: ["express"],
    packages: [...server, "typeorm@1.1.1", ...express5, zod, "webpack@5.112.2", "webpack-cli@7.3.1"],
    type: "module",
    build: `${migrated} && webpack`,
    start: ["bundle/main.cjs"],
    slow: true,
  },
  {
    name: "Next",
    examples: ["next"],
    packages: [
      ...server,
      "typeorm@1.1.1",
      "next@16.4.6",
      "react@19.3.1",
      "react-dom@19.3.1",
      "@types/react@19.3.0",
      zod,
    ],
    type: "module",
    build: "next build && tsx node_modules/typeorm/cli.js migration:run -d data-source.ts",
    start: ["node_modules/next/dist/bin/next", "start", "--hostname", "127.0.0.1"],
    connectsLate: true,
    slow: true,
  },
];

/** Makes the hosts from the pages, each with installed packages of its own, and starts and calls them. */
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
      if (host.type === "module") initTypeScript(directory);
      npm(directory, "run", "build");
      await startAndCall(directory, host, serverUrl);
    });
  }
}

function writeHost(directory: string, { tag, examples, changes = [], type, build }: DocumentedHost): void {
  const write = (file: string, content: string) => {
    mkdirSync(dirname(join(directory, file)), { recursive: true });
    writeFileSync(join(directory, file), content);
  };
  for (const example of examples) {
    const path = join(root, "examples", example);
    cpSync(path, example.endsWith(".ts") ? join(directory, basename(path)) : directory, { recursive: true });
  }
  const blocks = pageFiles().flatMap((path) => readPage(path).blocks);
  for (const { hosts, argument = "", code } of blocks) if (tag && hosts.includes(tag)) write(argument, code);
  for (const [file, from, to] of changes) {
    const content = readFileSync(join(directory, file), "utf8");
    const changed = content.replace(from, to);
    notEqual(changed, content, `${file} does not contain ${from}`);
    write(file, changed);
  }
  write("package.json", JSON.stringify({ private: true, type, scripts: { build } }));
  if (build.startsWith("tsc")) write("tsconfig.json", JSON.stringify(tsconfigs[type]));
}

/** Makes the options of a new project, as the newest TypeScript has them. */
function initTypeScript(directory: string): void {
  const init = join(directory, "init");
  mkdirSync(init);
  execFileSync(process.execPath, [join(directory, "node_modules/typescript/bin/tsc"), "--init"], {
    cwd: init,
  });
}

const output = { rootDir: ".", outDir: "dist", types: ["node"], experimentalDecorators: true };
const tsconfigs = {
  module: { extends: "./init/tsconfig.json", compilerOptions: output },
  /** As Nest's own command line sets them for a new application, and strict. */
  commonjs: {
    compilerOptions: {
      ...output,
      target: "ES2022",
      module: "nodenext",
      strict: true,
      noImplicitOverride: true,
      emitDecoratorMetadata: true,
      skipLibCheck: true,
    },
  },
};

async function startAndCall(
  directory: string,
  { name, start, connectsLate, precise }: DocumentedHost,
  serverUrl: string,
): Promise<void> {
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
    const history = `${url}/task-runs/${TASK_RUN_ID}/states`;
    if (connectsLate) {
      await runOnServer(serverUrl, `ALTER DATABASE "${name}" RENAME TO "${name} later"`);
      await untilItAnswers(host, url);
      equal((await fetch(history)).status, 500);
      await runOnServer(serverUrl, `ALTER DATABASE "${name} later" RENAME TO "${name}"`);
    }
    await untilItAnswers(host, url);
    await callHost(url);
    if (precise) {
      await fetch(history, post({ type: "RUNNING" }));
      match(await (await fetch(history)).text(), /"timestamp":"[^"]+\.\d{6}Z"/);
    }
    await runOnServer(databaseUrl, "DROP TABLE task_run_state");
    const failed = await fetch(history);
    equal(failed.status, 500);
    doesNotMatch(await failed.text(), /task_run_state/, "The client learns of the table.");

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

const TASK_RUN_ID = "1e11a41a-c634-4eb7-84df-c3953884f0c4";

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
