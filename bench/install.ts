import { spawnSync } from "node:child_process";
import { existsSync, statSync } from "node:fs";
import { join } from "node:path";

const lockFile = join(__dirname, "package-lock.json");
const installed = join(__dirname, "node_modules/.package-lock.json");
const schema = join(__dirname, "contenders/prisma/schema.prisma");
const client = join(__dirname, "contenders/prisma/generated/client.ts");

/** Installs what the benchmarks need and generates Prisma's client, unless both are there and up to date. */
function install(): void {
  if (!isUpToDate(installed, lockFile)) {
    console.error("Installing the libraries that the benchmarks use");
    run("npm ci --ignore-scripts --loglevel=error");
  }
  if (!isUpToDate(client, installed, schema)) {
    run("npx --no-install prisma generate --no-hints --schema contenders/prisma/schema.prisma", {
      CHECKPOINT_DISABLE: "1", // Keeps Prisma from asking its servers for a newer version.
      PRISMA_SCHEMA_ENGINE_BINARY: lockFile, // Any file: Prisma does not run it, but downloads one otherwise.
    });
  }
}

const isUpToDate = (file: string, ...sources: string[]): boolean =>
  existsSync(file) && sources.every((source) => statSync(file).mtimeMs >= statSync(source).mtimeMs);

/** Runs a command in this folder. Its output goes to stderr, so that `--json` prints JSON alone. */
function run(command: string, environment: NodeJS.ProcessEnv = {}): void {
  const { status } = spawnSync(command, {
    cwd: __dirname,
    env: { ...process.env, ...environment },
    shell: true,
    stdio: ["ignore", process.stderr.fd, process.stderr.fd],
  });
  if (status !== 0) process.exit(status ?? 1);
}

install();
