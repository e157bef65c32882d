import { startPostgres } from "./postgres";

export default async function globalSetup(): Promise<void> {
  if (process.env.DATABASE_URL) return;
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));
  const server = await startPostgres();
  process.env.DATABASE_URL = server.url;
  Object.assign(globalThis, { server });
}
