import { Client } from "pg";

import { cannotConnect } from "../../dev/cannot-connect";
import { startPostgres } from "../../dev/postgres";

export default async function globalSetup(): Promise<void> {
  if (process.env.DATABASE_URL) return assertUsable(process.env.DATABASE_URL);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const server = await startPostgres();
  process.env.DATABASE_URL = server.url;
  Object.assign(globalThis, { server });
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
