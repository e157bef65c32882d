import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { type PostgresServer, startPostgres } from "../../scripts/postgres";
import { type Primary, startStandby } from "../../scripts/standby";

/**
 * Starts a server from within a test: in a process that ends with the test's, however that ends. It is detached, since
 * Ctrl-C would otherwise end it before it can remove the server.
 */
export function startPostgresProcess(): Promise<PostgresServer> {
  return startProcess();
}

/** Likewise a streaming standby. */
export function startStandbyProcess({ url, data }: Primary): Promise<PostgresServer> {
  return startProcess({ url, data });
}

async function startProcess(primary?: Primary): Promise<PostgresServer> {
  const owner = spawn(process.execPath, ["--import", "tsx", __filename, JSON.stringify(primary ?? null)], {
    detached: true,
    stdio: ["pipe", "pipe", "inherit"],
  });
  const exited = once(owner, "exit");
  const answers = createInterface(owner.stdout);
  const [line] = await once(answers, "line");
  const server: Primary = JSON.parse(line);
  const restart = async () => {
    owner.stdin.write("restart\n");
    await once(answers, "line");
  };
  const stop = async () => {
    owner.stdin.end();
    await exited;
  };
  return { ...server, restart, stop };
}

/** Starts the server and answers with its URL and folder; restarts it for each line on standard input and answers again. */
async function main(primary: Primary | null): Promise<void> {
  process.stdin.once("end", () => process.exit());
  const server = await (primary ? startStandby(primary) : startPostgres());
  const answer = () => console.log(JSON.stringify({ url: server.url, data: server.data }));
  answer();
  for await (const _ of createInterface(process.stdin)) {
    await server.restart();
    answer();
  }
}

if (require.main === module) main(JSON.parse(process.argv[2] ?? ""));
