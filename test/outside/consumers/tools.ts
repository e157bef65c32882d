import { deepEqual, ok } from "node:assert/strict";
import { cpSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, relative } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";
import { copyHost, installHost, type ModuleType } from "./install-host";

/** What the host is compiled, run or tested with, in each of its module types: scripts of `host/package.json`. */
const tools: Record<ModuleType, string[]> = {
  commonjs: ["typescript-5.9", "typescript-7", "tsx", "esbuild", "jest", "vitest"],
  module: ["typescript-5.9", "typescript-7", "tsx", "esbuild", "vitest"],
};

/** Checks the packed package, and uses it with every tool that hosts use, each in a folder below that of the tools. */
export async function useWithTools(folder: string, serverUrl: string): Promise<void> {
  cpSync(join(__dirname, "tools"), folder, { recursive: true });
  install(folder, "--ignore-scripts");
  for (const linter of ["publint", "attw"]) {
    await check(linter, () => {
      npm(folder, "run", linter);
    });
  }

  const host = installHost(folder);
  const installed = join(host, "node_modules/typeorm-task-run-state");
  await check("contents", () => checkContents(installed));
  await check("examples in the package", () => compileExamples(host, installed));
  for (const type of ["commonjs", "module"] as const) {
    for (const tool of tools[type]) {
      const name = `${type}-${tool}`;
      await useNewDatabase(serverUrl, name);
      copyHost(host, join(folder, name), type);
      await check(`${type}: ${tool}`, () => {
        npm(join(folder, name), "run", tool);
      });
    }
  }
}

/** The package holds two files for each module of `src`, all that its `files` name, and nothing else. */
function checkContents(installed: string): void {
  const modules = filesIn("src").map((file) => join("dist", file.replace(/\.ts$/, "")));
  const built = modules.flatMap((module) => [`${module}.d.ts`, `${module}.js`]);
  const { files }: { files: string[] } = JSON.parse(readFileSync("package.json", "utf8"));
  const named = [...files, "LICENSE", "README.md", "package.json"]; // npm packs these three always.

  const packed = filesIn(installed);
  const isWithin = (name: string) => (file: string) => file === name || file.startsWith(`${name}/`);
  deepEqual(packed.filter(isWithin("dist")), built.sort());
  deepEqual(
    named.filter((name) => !packed.some(isWithin(name))),
    [],
  );
  deepEqual(
    packed.filter((file) => !named.some((name) => isWithin(name)(file))),
    [],
  );
}

/** Every example that is packed compiles where it is installed, with what a host has. */
function compileExamples(host: string, installed: string): void {
  const files = filesIn(join(installed, "examples")).filter((file) => file.endsWith(".ts"));
  ok(files.length > 0);
  const config = {
    extends: "./tsconfig.json",
    compilerOptions: { noEmit: true, experimentalDecorators: true },
    files: files.map((file) => join(installed, "examples", file)),
  };
  writeFileSync(join(host, "tsconfig.examples.json"), JSON.stringify(config));
  npm(host, "exec", "--", "tsc", "-p", "tsconfig.examples.json");
}

/** The paths of all files below the folder, in order. */
function filesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map(({ parentPath, name }) => relative(folder, join(parentPath, name))).sort();
}
