import { cpSync, linkSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check, install, installHost, npm, pack, temporaryFolder } from "../../dev/npm";
import { startPostgres } from "../../dev/postgres";
import { useNewDatabase } from "../support/database";

/** The scripts of `host/package.json`, by the `type` of the package they run in. */
const consumers = {
  commonjs: ["require", "typescript-5.9", "typescript-7", "tsx", "esbuild", "jest", "vitest"],
  module: ["import", "typescript-5.9", "typescript-7", "tsx", "esbuild", "vitest"],
};

/** Uses the packed package in every way hosts do, each in a folder of its own below that of the tools. */
async function main(): Promise<void> {
  const folder = temporaryFolder();
  pack(folder);
  cpSync(join(__dirname, "tools"), folder, { recursive: true });
  install(folder, "--ignore-scripts");
  for (const linter of ["publint", "attw"]) check(linter, () => npm(folder, "run", linter));

  const installed = installHost(folder, join(__dirname, "host"));
  const server = await startPostgres();
  for (const [type, scripts] of Object.entries(consumers)) {
    for (const script of scripts) {
      const name = `${type}-${script}`;
      await useNewDatabase(server.url, name);
      const host = join(folder, name);
      copyHost(installed, host, type);
      check(`${type}: ${script}`, () => npm(host, "run", script));
    }
  }
  await server.stop();
}

/** Links what is installed, as pnpm does: copies of TypeORM would fill half a gigabyte, and take as long as the checks. */
function copyHost(installed: string, host: string, type: string): void {
  const filter = (source: string, target: string) => {
    const links = source.includes("node_modules") && lstatSync(source).isFile();
    if (links) linkSync(source, target);
    return !links;
  };
  cpSync(installed, host, { recursive: true, verbatimSymlinks: true, filter });
  const manifest = join(host, "package.json");
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), type }));
}

main();
