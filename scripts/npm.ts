import { execFileSync } from "node:child_process";
import { mkdtempSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Runs npm in the folder and returns what it prints. */
export function npm(folder: string, ...args: string[]): string {
  return execFileSync("npm", args, { cwd: folder, encoding: "utf8", stdio: "pipe", maxBuffer: 2 ** 26 });
}

export function install(folder: string, ...args: string[]): void {
  npm(folder, "install", "--prefer-offline", "--no-audit", "--no-fund", ...args);
}

/** Builds this package and packs it into the folder, as a release does; returns the path of the tarball. */
export function pack(folder: string): string {
  const [{ filename }] = JSON.parse(npm(".", "pack", "--json", "--pack-destination", folder));
  const tarball = join(folder, "typeorm-task-run-state.tgz");
  renameSync(join(folder, filename), tarball);
  return tarball;
}

/** A folder outside this repository, as a host's is. An exit of the process removes it. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-"));
  process.once("exit", () => rmSync(folder, { recursive: true, force: true }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  return folder;
}
