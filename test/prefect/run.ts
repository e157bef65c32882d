import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { install, pack, temporaryFolder } from "../../dev/npm";
import { startPostgres } from "../../dev/postgres";
import { installPrefect, PrefectUnavailable, type PrefectVersion } from "../../dev/prefect/environment";
import { runOnServer } from "../support/database";
import { NORMALISATIONS } from "./differences";

/** Judges the packed package by Prefect 3; with `--all` also by Prefect 2. */
async function main(): Promise<void> {
  const versions: PrefectVersion[] = process.argv.includes("--all") ? ["3.8.8", "2.20.25"] : ["3.8.8"];
  const environments = versions.map(installPrefect);
  const host = installHost();
  const server = await startPostgres();
  console.log(`Compared as equal:\n${NORMALISATIONS.map((line) => `  ${line}`).join("\n")}`);
  for (const environment of environments) {
    const database = `prefect-${environment.version}`;
    await runOnServer(server.url, `CREATE DATABASE "${database}"`);
    const script = ["--import", "tsx", "test/prefect/judges.ts", JSON.stringify(environment)];
    const judges = spawn(process.execPath, script, {
      cwd: host,
      env: { ...process.env, DATABASE_URL: new URL(database, server.url).href },
      stdio: ["inherit", "inherit", "inherit", "ipc"], // The channel closes when this process ends, however it ends.
    });
    const [code] = await once(judges, "exit");
    if (code !== 0) process.exitCode = 1;
  }
  await server.stop();
}

/** Installs the packed package in a folder of its own, with the examples, the page and the judges beside it. */
function installHost(): string {
  const folder = temporaryFolder();
  const tarball = pack(folder);
  const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const packages = ["express", "pg", "reflect-metadata", "tsx", "typeorm"].map(
    (name) => `${name}@${devDependencies[name]}`,
  );
  install(folder, "--ignore-scripts", tarball, ...packages);
  for (const part of ["dev", "docs", "examples", "test/prefect", "test/support"]) {
    cpSync(part, join(folder, part), { recursive: true });
  }
  return folder;
}

main().catch((error) => {
  // A machine that has only Node.js, npm and git passes.
  if (error instanceof PrefectUnavailable) return console.log(`Prefect: did not run. ${error.message}`);
  console.error(error);
  process.exit(1);
});
