import { startDaemon } from "./daemon";
import { freePort } from "./postgres";

/** A PgBouncer of this process's own, on the loopback interface. */
export interface PgBouncer {
  /** Leads to the server's database through PgBouncer. */
  url: string;
  /** Ends PgBouncer and removes its files. An exit of the process does it too. */
  stop(): Promise<void>;
}

export const HOW_TO_INSTALL_PGBOUNCER =
  'PgBouncer is not on the PATH; "apt-get install pgbouncer" installs it.';

/**
 * Starts PgBouncer in transaction mode before the server of the URL, with this many connections to it: each transaction
 * gets whichever is free.
 */
export async function startPgBouncer(serverUrl: string, connections: number): Promise<PgBouncer> {
  const server = new URL(serverUrl);
  const port = await freePort();
  const target = Object.entries({
    host: server.hostname,
    port: server.port || "5432",
    user: decodeURIComponent(server.username),
    password: decodeURIComponent(server.password),
  });
  const quoted = target.flatMap(([key, value]) => (value ? `${key}='${value.replaceAll("'", "''")}'` : []));
  const ini = `[databases]
* = ${quoted.join(" ")}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${port}
unix_socket_dir =
auth_type = any
admin_users = ${decodeURIComponent(server.username)}
pool_mode = transaction
default_pool_size = ${connections}
max_client_conn = 500
`;
  const stop = await startDaemon({
    program: "pgbouncer",
    files: () => ({ "pgbouncer.ini": ini }),
    args: ["pgbouncer.ini"],
    ready: "process up",
  });
  const url = new URL(server);
  url.host = `127.0.0.1:${port}`;
  return { url: url.href, stop };
}
