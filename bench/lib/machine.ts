import { cpus } from "node:os";
import type { Client } from "pg";

/** The machine that the figures were measured on. */
export interface Machine {
  cpu: string;
  cores: number;
  node: string;
  postgres: string;
}

export async function machine(client: Client): Promise<Machine> {
  const { rows } = await client.query<{ server_version: string }>("SHOW server_version");
  return {
    cpu: cpus()[0]?.model.trim() ?? "unknown",
    cores: cpus().length,
    node: process.versions.node,
    postgres: rows[0]?.server_version ?? "unknown",
  };
}

export const machineAsText = ({ cpu, cores, node, postgres }: Machine): string =>
  `Node ${node}, PostgreSQL ${postgres}, ${cores} cores (${cpu})`;
