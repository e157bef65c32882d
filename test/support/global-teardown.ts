import type { PostgresServer } from "../../scripts/postgres";

export default async function globalTeardown(): Promise<void> {
  const { server } = globalThis as { server?: PostgresServer };
  await server?.stop();
}
