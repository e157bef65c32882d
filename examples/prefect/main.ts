/** Answers Prefect's reads of task run states from the database of a Prefect server: `npm run prefect -w examples`. */
import type { AddressInfo } from "node:net";

import { createApp } from "./app";
import { connect } from "./connect";

async function main(): Promise<void> {
  const dataSource = await connect();
  const server = createApp(dataSource.manager).listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
  server.once("listening", () => {
    const { port } = server.address() as AddressInfo;
    console.log(`Listening. For the states of a task run:

  curl 'http://127.0.0.1:${port}/api/task_run_states/?task_run_id=<id>'
`);
  });
  server.once("close", () => dataSource.destroy());
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () => {
      server.close();
      setTimeout(() => server.closeAllConnections(), 1000).unref();
    });
  }
}

main().catch((error) => {
  console.error(error);
  process.exitCode = 1;
});
