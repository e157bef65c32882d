import { LOCAL_PORT } from "./local-port";
import { startPostgres } from "./postgres";

async function main(): Promise<void> {
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit());
  const { url } = await startPostgres({ port: LOCAL_PORT }).catch((error: Error) => {
    const inUse = error.message.includes("Address already in use");
    throw inUse ? new Error(`Port ${LOCAL_PORT} is in use: "npm run db" may be running already.`) : error;
  });
  console.log(`PostgreSQL is ready at ${url}\nCtrl-C ends it and removes its data.`);
  setInterval(() => {}, 2 ** 30);
}

main().catch((error) => {
  console.error(error instanceof Error ? error.message : error);
  process.exit(1);
});
