import { cpus } from "node:os";
import type { Client } from "pg";

/** The machine that the figures were measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  postgres: string;
  /** PostgreSQL's own memory for pages: its setting `shared_buffers`. */
  sharedBuffers: string;
}

export async function machine(client: Client): Promise<Machine> {
  const { rows } = await client.query<{ version: string; buffers: string }>(
    "SELECT current_setting('server_version') AS version, current_setting('shared_buffers') AS buffers",
  );
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    node: process.versions.node,
    postgres: rows[0]?.version ?? "unknown",
    sharedBuffers: rows[0]?.buffers ?? "unknown",
  };
}

export const machineAsText = ({ cpu, cores, node, postgres, sharedBuffers }: Machine): string =>
  `Node ${node}, PostgreSQL ${postgres} with ${sharedBuffers} of shared_buffers, ${cores} cores (${cpu})`;
