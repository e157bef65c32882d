import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import { existsSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/** Each has its list of packages in this folder. The newest comes first, and a major's versions side by side. */
export const PREFECT_VERSIONS = ["3.9.1", "3.8.8", "2.20.27", "2.20.25"] as const;

export type PrefectVersion = (typeof PREFECT_VERSIONS)[number];

/** This machine lacks what Prefect needs. The message says what. */
export class PrefectUnavailable extends Error {}

/** A Python that has Prefect and all that Prefect needs, in the versions of this folder's lists. */
export interface PrefectEnvironment {
  version: PrefectVersion;
  major: number;
  pythonVersion: string;
  /** The folder of the programs `python` and `prefect`. */
  bin: string;
}

/** Installs this Prefect in `.prefect`, unless it is there already as its list wants it. */
export function installPrefect(version: PrefectVersion): PrefectEnvironment {
  const major = Number(version.split(".")[0]);
  const folder = join(__dirname, "../../.prefect", version);
  const bin = join(folder, "bin");
  const list = join(__dirname, `${version}.txt`);
  const installedList = join(folder, "installed.txt");
  const wanted = readFileSync(list, "utf8");

  const isInstalled = existsSync(installedList) && readFileSync(installedList, "utf8") === wanted;
  const pythonVersion = isInstalled ? versionOf(join(bin, "python")) : undefined;
  if (pythonVersion) return { version, major, pythonVersion, bin };

  const found = findPython();
  console.log(`Installing Prefect ${version} with Python ${found.version} in .prefect/${version}`);
  rmSync(folder, { recursive: true, force: true });
  const venv = run(found.python, "-m", "venv", folder);
  if (venv.status !== 0) {
    throw new PrefectUnavailable(
      `Python ${found.version} cannot make a virtual environment. On Debian and Ubuntu, install python3-venv.`,
    );
  }
  const options = ["--no-deps", "--no-input", "--disable-pip-version-check", "--quiet", "--retries", "2"];
  const pip = run(join(bin, "python"), "-m", "pip", "install", ...options, "-r", list);
  // What pip says of a package of which it knows no version at all.
  if (pip.stderr.includes("(from versions: none)")) {
    throw new PrefectUnavailable("Python's package index cannot be reached.");
  }
  if (pip.status !== 0)
    throw new Error(`pip could not install scripts/prefect/${version}.txt:\n${pip.stderr}`);
  writeFileSync(installedList, wanted);
  return { version, major, pythonVersion: found.version, bin };
}

function findPython(): { python: string; version: string } {
  for (const python of ["python3", "python3.13", "python3.12", "python3.11"]) {
    const version = versionOf(python);
    if (version && Number(version.split(".")[1]) >= 11) return { python, version };
  }
  throw new PrefectUnavailable("There is no Python 3.11 or later on the PATH.");
}

/** Undefined when there is no such program. */
function versionOf(python: string): string | undefined {
  return run(python, "--version").stdout?.match(/^Python (3\.\S+)/)?.[1];
}

function run(program: string, ...args: string[]): SpawnSyncReturns<string> {
  return spawnSync(program, args, { encoding: "utf8" });
}
