import { Client } from "pg";

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
    const { rows } = await client.query(
      "SELECT rolcreatedb OR rolsuper AS allowed FROM pg_roles WHERE rolname = current_user",
    );
    if (!rows[0]?.allowed)
      throw new Error("its role may not create databases, and each test file creates one");
  } catch (error) {
    const { message, code } = error as NodeJS.ErrnoException;
    console.error(
      `\nThe tests cannot use the server of DATABASE_URL: ${message || code}.\n` +
        "Without DATABASE_URL they bring a PostgreSQL of their own.",
    );
    process.exit(1);
  } finally {
    await client.end();
  }
}
