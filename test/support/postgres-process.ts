import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { type PostgresServer, startPostgres } from "../../dev/postgres";

/**
 * Starts a server from within a test: in a process that ends with the test's, however that ends. It is detached, since
 * Ctrl-C would otherwise end it before it can remove the server.
 */
export async function startPostgresProcess(settings: Record<string, string> = {}): Promise<PostgresServer> {
  const owner = spawn(process.execPath, ["--import", "tsx", __filename, JSON.stringify(settings)], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(owner, "exit");
  const answers = createInterface(owner.stdout);
  const [url] = await once(answers, "line");
  const restart = async () => {
    owner.stdin.write("restart\n");
    await once(answers, "line");
  };
  const stop = async () => {
    owner.stdin.end();
    await exited;
  };
  return { url, restart, stop };
}

/** Starts the server and answers with its URL; restarts it for each line on standard input and answers again. */
async function main(settings: string): Promise<void> {
  process.stdin.once("end", () => process.exit());
  const server = await startPostgres({ settings: JSON.parse(settings) });
  console.log(server.url);
  for await (const _ of createInterface(process.stdin)) {
    await server.restart();
    console.log(server.url);
  }
}

if (require.main === module) main(process.argv[2] ?? "{}");
