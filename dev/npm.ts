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

/** Runs one check and prints its outcome. After a failure the others still run, and the process fails in the end. */
export function check(name: string, run: () => void): void {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    run();
    console.log(`ok      ${name} (${seconds()})`);
  } catch (error) {
    const { stdout = "", message } = error as Error & { stdout?: string };
    console.log(`FAILED  ${name} (${seconds()})\n${stdout}${message}`);
    process.exitCode = 1;
  }
}
