import { cpSync, renameSync } from "node:fs";
import { join } from "node:path";

import { runOnServer } from "../support/database";
import { check, install, npm, pack, temporaryFolder } from "../support/npm";
import { startPostgres } from "../support/postgres";

/** The scripts of `host/package.json`, by the `type` of the package they run in. */
const consumers = {
  commonjs: ["typescript-5.9", "typescript-7", "tsx", "esbuild", "jest", "vitest"],
  module: ["typescript-5.9", "typescript-7", "tsx", "esbuild", "vitest"],
};

/** Installs the packed package into a host and uses it in every way hosts do. */
async function main(): Promise<void> {
  const folder = temporaryFolder();
  renameSync(pack(folder), join(folder, "typeorm-task-run-state.tgz"));
  cpSync(join(__dirname, "host"), folder, { recursive: true });
  install(folder, "--ignore-scripts");
  for (const linter of ["publint", "attw"]) check(linter, () => npm(folder, "run", linter));

  const server = await startPostgres();
  for (const [type, scripts] of Object.entries(consumers)) {
    npm(folder, "pkg", "set", `type=${type}`);
    for (const script of scripts) {
      const database = `${type}-${script}`;
      await runOnServer(server.url, `CREATE DATABASE "${database}"`);
      process.env.DATABASE_URL = new URL(database, server.url).href;
      check(`${type}: ${script}`, () => npm(folder, "run", script));
    }
  }
  await server.stop();
}

main();
