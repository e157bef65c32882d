import { equal } from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync } from "node:fs";
import { delimiter, join } from "node:path";
import { install } from "../../../scripts/npm";

/** The oldest Node.js that the package accepts, and the newest of each line with long-term support since. */
export const nodes = {
  floor: pinned("20.19.0"),
  v22: pinned("22.23.3"),
  v24: pinned("24.21.0"),
  newest: pinned("26.10.0"),
};

/** The Node.js at hand where the packages that bring its binaries lack a version, which is everywhere but on Linux. */
function pinned(version: string): string {
  const complete = ["linux-x64", "linux-arm64"].includes(`${process.platform}-${process.arch}`);
  return complete ? version : process.versions.node;
}

/** Runs npm, and all that it starts, on this version of Node.js. */
export function onNode(version: string, folder: string, run: () => void): void {
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
