import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { Client } from "pg";

import { cannotConnect } from "./cannot-connect";
import { startPostgres } from "./postgres";

/**
 * Runs a script with DATABASE_URL naming a server that answers: the caller's own, else an embedded one that lives as long
 * as the script: `node --import tsx scripts/with-postgres.ts <script> [arguments]`.
 */
async function main(): Promise<void> {
  let script: ChildProcess | undefined;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.on(signal, () => (script ? script.kill(signal) : process.exit(1)));
  }
  const { DATABASE_URL: given } = process.env;
  if (given) await assertAnswers(given);
  const server = given ? undefined : await startPostgres();
  script = spawn(process.execPath, [...process.execArgv, ...process.argv.slice(2)], {
    stdio: "inherit",
    env: { ...process.env, DATABASE_URL: server?.url ?? given },
  });
  const [code] = await once(script, "exit");
  await server?.stop();
  process.exitCode = code ?? 1;
}

async function assertAnswers(url: string): Promise<void> {
  try {
    const client = new Client(url);
    await client.connect();
    await client.end();
  } catch (error) {
    throw new Error(cannotConnect(error, "check DATABASE_URL, or unset it to use an embedded server."));
  }
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
