import { equal } from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";
import { readPage } from "../../support/documents";
import { nestjs as nestjsPackages } from "./documented-hosts";

/** Does what the README tells a newcomer to do, with the packed package and nothing else of this repository. */
export async function followReadme(folder: string, tarball: string, serverUrl: string): Promise<void> {
  const { text, blocks } = readPage("README.md");
  const [, packages = ""] = /^npm install (.+?) +# Otherwise/m.exec(text) ?? [];
  const program = blocks.find(({ kind }) => kind === "ts run");
  const output = blocks.find(({ kind }) => kind === "text output");

  const host = join(folder, "readme");
  await useNewDatabase(serverUrl, "readme");
  await check("README", () => {
    mkdirSync(host);
    install(host, ...packages.split(" ").map((name) => (name === "typeorm-task-run-state" ? tarball : name)));
    writeFileSync(join(host, "history.mts"), program?.code ?? "");
    equal(npm(host, "exec", "--", "tsx", "history.mts"), output?.code);
  });

  const module = blocks.find(({ code }) => code.includes("@Module"));
  const nestjs = join(folder, "readme-nestjs");
  await useNewDatabase(serverUrl, "readme-nestjs");
  await check("README: NestJS", () => {
    mkdirSync(nestjs);
    install(nestjs, "--ignore-scripts", tarball, ...nestjsPackages("12", "1.1.1"));
    const compilerOptions = { module: "nodenext", experimentalDecorators: true };
    writeFileSync(join(nestjs, "tsconfig.json"), JSON.stringify({ compilerOptions }));
    writeFileSync(join(nestjs, "app.module.mts"), module?.code ?? "");
    writeFileSync(join(nestjs, "main.mts"), RECORDS_AND_LISTS);
    equal(npm(nestjs, "exec", "--", "tsx", "main.mts"), "[ 'Running' ]\n");
  });
}

/** What is left to the reader: to take from the module what it provides, and to use it. */
const RECORDS_AND_LISTS = `
import { NestFactory } from "@nestjs/core";
import { DataSource } from "typeorm";
import { recordTaskRunState, TaskRunStateService } from "typeorm-task-run-state";
import { AppModule } from "./app.module.mjs";

const app = await NestFactory.createApplicationContext(AppModule, { logger: false });
const { manager } = app.get(DataSource);
const { taskRunId } = await recordTaskRunState(manager, { taskRunId: "${randomUUID()}", type: "RUNNING" });
const states = await app.get(TaskRunStateService).readTaskRunStates(manager, taskRunId);
console.log(states.map(({ name }) => name));
await app.close();
`;
