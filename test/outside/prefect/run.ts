import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { install, pack, temporaryFolder } from "../../../scripts/npm";
import { startPostgres } from "../../../scripts/postgres";
import {
  installPrefect,
  PREFECT_VERSIONS,
  type PrefectEnvironment,
  PrefectUnavailable,
} from "../../../scripts/prefect/environment";
import { runOnServer } from "../../support/database";
import { NORMALISATIONS } from "./differences";
import { asTable, type Outcome } from "./outcome";

/** Checks the packed package against the newest Prefect; with `--all` against each, and against an upgrade to the newest. */
async function main(): Promise<void> {
  const all = process.argv.includes("--all");
  const [newest, previous] = PREFECT_VERSIONS;
  const environments = (all ? PREFECT_VERSIONS : [newest]).map(installPrefect);
  const host = installHost();
  const server = await startPostgres();
  const run = async (script: string, database: string, ...given: PrefectEnvironment[]) => {
    await runOnServer(server.url, `CREATE DATABASE "${database}"`);
    const args = [
      "--import",
      "tsx",
      `test/outside/prefect/${script}`,
      ...given.map((one) => JSON.stringify(one)),
    ];
    const checks = spawn(process.execPath, args, {
      cwd: host,
      env: { ...process.env, DATABASE_URL: new URL(database, server.url).href },
      stdio: ["inherit", "inherit", "inherit", "ipc"], // The channel closes when this process ends, however it ends.
    });
    const outcomes: Outcome[] = [];
    checks.on("message", (outcome: Outcome) => outcomes.push(outcome));
    const [code] = await once(checks, "exit");
    if (code !== 0) process.exitCode = 1;
    return outcomes;
  };

  console.log(`Compared as equal:\n${NORMALISATIONS.map((line) => `  ${line}`).join("\n")}`);
  const outcomes: Outcome[] = [];
  for (const environment of environments) {
    outcomes.push(...(await run("checks.ts", `prefect-${environment.version}`, environment)));
  }
  if (all) await run("upgrade.ts", "prefect-upgrade", installPrefect(previous), installPrefect(newest));
  console.log(`\n${asTable(outcomes)}`);
  await server.stop();
}

/** Installs the packed package in a folder of its own, with the examples, the page and the checks beside it. */
function installHost(): string {
  const folder = temporaryFolder();
  const tarball = pack(folder);
  const { devDependencies } = JSON.parse(readFileSync("package.json", "utf8"));
  const { dependencies } = JSON.parse(readFileSync("examples/package.json", "utf8"));
  const packages = ["express", "pg", "reflect-metadata", "tsx", "typeorm"].map(
    (name) => `${name}@${devDependencies[name] ?? dependencies[name]}`,
  );
  install(folder, "--ignore-scripts", tarball, ...packages);
  for (const part of ["scripts", "docs", "examples", "test/outside/prefect", "test/support"]) {
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
