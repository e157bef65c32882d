import { randomUUID } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { Client } from "pg";

import { cannotConnect } from "../../scripts/cannot-connect";
import { startPostgres } from "../../scripts/postgres";

export default async function globalSetup(): Promise<void> {
  const { DATABASE_URL: given, TEST_RUN: run = randomUUID().slice(0, 8) } = process.env;
  process.env.TEST_RUN = run;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, async () => {
      if (given) await dropDatabases(given, run);
      process.exit(1);
    });
  }
  if (given) return assertUsable(given);
  const server = await startPostgres();
  process.env.DATABASE_URL = server.url;
  Object.assign(globalThis, { server });
}

/** Drops what the test files of this run have created. A second time, for the one that was being created. */
async function dropDatabases(url: string, run: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  for (const wait of [500, 0]) {
    const { rows } = await client.query("SELECT datname FROM pg_database WHERE starts_with(datname, $1)", [
      `task_run_state_test_${run}_`,
    ]);
    for (const { datname } of rows) await client.query(`DROP DATABASE IF EXISTS ${datname} WITH (FORCE)`);
    await setTimeout(wait);
  }
}

async function assertUsable(url: string): Promise<void> {
  const client = new Client(url);
  try {
    await client.connect();
  } catch (error) {
    refuse(cannotConnect(error, `check DATABASE_URL, or unset it: ${WITHOUT_URL}`));
  }
  const { rows } = await client.query(
    "SELECT rolcreatedb OR rolsuper AS allowed FROM pg_roles WHERE rolname = current_user",
  );
  await client.end();
  if (!rows[0]?.allowed) {
    refuse(
      `The role of DATABASE_URL may not create databases, and each test file creates one. Without DATABASE_URL ${WITHOUT_URL}`,
    );
  }
}

const WITHOUT_URL = "the tests bring a PostgreSQL of their own.";

function refuse(reason: string): never {
  console.error(`\n${reason}`);
  process.exit(1);
}
