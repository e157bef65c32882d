import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

/** Installs the contenders, unless what is installed is newer than the lock file. */
const installed = join(__dirname, "node_modules/.package-lock.json");
const isNewer = (a: string, b: string) => existsSync(a) && statSync(a).mtimeMs >= statSync(b).mtimeMs;

if (!isNewer(installed, join(__dirname, "package-lock.json"))) {
  console.error("Installing the libraries to compare with");
  const { status } = spawnSync("npm ci --ignore-scripts", {
    cwd: __dirname,
    shell: true,
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
  });
  process.exitCode = status ?? 1;
}
