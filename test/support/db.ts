import { startPostgres } from "./postgres";

/** Where `npm run db` listens, and where `ormconfig.ts` looks for a server when DATABASE_URL is not set. */
const PORT = 54330;

async function main(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit());
  const { url } = await startPostgres({ port: PORT }).catch((error: Error) => {
    const inUse = error.message.includes("Address already in use");
    throw inUse ? new Error(`Port ${PORT} is in use: "npm run db" may be running already.`) : error;
  });
  console.log(`PostgreSQL is ready at ${url}\nCtrl-C ends it and removes its data.`);
  setInterval(() => {}, 2 ** 30);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
