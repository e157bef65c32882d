import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { freePort, unprivilegedUser } from "./postgres";

/** A PgBouncer of this process's own, on the loopback interface. */
export interface PgBouncer {
  /** Leads to the server's database through PgBouncer. */
  url: string;
  /** Ends PgBouncer and removes its files. An exit of the process does it too. */
  stop(): Promise<void>;
}

export const HOW_TO_INSTALL_PGBOUNCER =
  'PgBouncer is not on the PATH; "apt-get install pgbouncer" installs it.';

/** As PgBouncer says it, such as "PgBouncer 1.18.0"; undefined where it is not on the PATH. */
export function pgBouncerVersion(): string | undefined {
  try {
    return execFileSync("pgbouncer", ["--version"], { encoding: "utf8" }).split("\n")[0];
  } catch {
    return undefined;
  }
}

/**
 * Starts PgBouncer in transaction mode before the server of the URL, with this many connections to it: each transaction
 * gets whichever is free.
 */
export async function startPgBouncer(serverUrl: string, connections: number): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-pgbouncer-"));
  let running: ChildProcess | undefined;
  const abandon = () => {
    running?.kill("SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
  process.once("exit", abandon);

  const port = await freePort();
  const target = Object.entries({
    host: server.hostname,
    port: server.port || "5432",
    user: decodeURIComponent(server.username),
    password: decodeURIComponent(server.password),
  });
  const quoted = target.flatMap(([key, value]) => (value ? `${key}='${value.replaceAll("'", "''")}'` : []));
  const ini = join(folder, "pgbouncer.ini");
  writeFileSync(
    ini,
    `[databases]
* = ${quoted.join(" ")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 500
`,
  );
  const user = unprivilegedUser();
  if (user) for (const path of [folder, ini]) chownSync(path, user.uid, user.gid);
  const log = join(folder, "log");
  running = spawn("pgbouncer", [ini], {
    ...user,
    cwd: folder,
    stdio: ["ignore", "ignore", openSync(log, "a")],
  });
  const exited = once(running, "exit");
  while (!readFileSync(log, "utf8").includes("process up")) {
    if (running.exitCode !== null) throw new Error(`PgBouncer did not start:\n${readFileSync(log, "utf8")}`);
    await setTimeout(20);
  }

  const stop = async () => {
    abandon();
    await exited;
    process.off("exit", abandon);
  };
  const url = new URL(server);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, stop };
}
