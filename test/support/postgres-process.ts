import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { type PostgresServer, startPostgres } from "./postgres";

export type PostgresProcess = Omit<PostgresServer, "restart">;

/** Starts a server from within a test: in a process that ends with the test's, however that ends. */
export async function startPostgresProcess(settings: Record<string, string>): Promise<PostgresProcess> {
  const owner = spawn(process.execPath, ["--import", "tsx", __filename, JSON.stringify(settings)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(owner, "exit");
  const [url] = await once(createInterface(owner.stdout), "line");
  const stop = async () => {
    owner.stdin.end();
    await exited;
  };
  return { url, stop };
}

async function main(settings: string): Promise<void> {
  process.stdin.once("end", () => process.exit()).resume();
  const { url } = await startPostgres({ settings: JSON.parse(settings) });
  console.log(url);
}

if (require.main === module) main(process.argv[2] ?? "{}");
