import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

import { type PostgresServer, startPostgres } from "../../scripts/postgres";
import { type Primary, startStandby } from "../../scripts/standby";

interface Start {
  settings?: Record<string, string>;
  standbyOf?: Primary;
}

/**
 * Starts a server from within a test: in a process that ends with the test's, however that ends. It is detached, since
 * Ctrl-C would otherwise end it before it can remove the server.
 */
export function startPostgresProcess(settings: Record<string, string> = {}): Promise<PostgresServer> {
  return startProcess({ settings });
}

/** Likewise a streaming standby. */
export function startStandbyProcess({ url, data }: Primary): Promise<PostgresServer> {
  return startProcess({ standbyOf: { url, data } });
}

async function startProcess(how: Start): Promise<PostgresServer> {
  const owner = spawn(process.execPath, ["--import", "tsx", __filename, JSON.stringify(how)], {
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
async function main(how: string): Promise<void> {
  process.stdin.once("end", () => process.exit());
  const { settings = {}, standbyOf }: Start = JSON.parse(how);
  const server = await (standbyOf ? startStandby(standbyOf) : startPostgres({ settings }));
  const answer = () => console.log(JSON.stringify({ url: server.url, data: server.data }));
  answer();
  for await (const _ of createInterface(process.stdin)) {
    await server.restart();
    answer();
  }
}

if (require.main === module) main(process.argv[2] ?? "{}");
