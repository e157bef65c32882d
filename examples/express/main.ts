import { once } from "node:events";
import type { AddressInfo } from "node:net";

import { createApp } from "./app.js";
import dataSource from "./data-source.js";

const { HOST = "127.0.0.1", PORT = "3000" } = process.env;

async function main(): Promise<void> {
  await dataSource.initialize();
  const server = createApp(dataSource.manager).listen(Number(PORT), HOST);
  await once(server, "listening");
  console.log(`Listening on http://${HOST}:${(server.address() as AddressInfo).port}`);
  // Requests in progress are answered before the connections to the database close.
  process.once("SIGTERM", () => server.close(() => dataSource.destroy()));
}

main().catch(({ message, code }: NodeJS.ErrnoException) => {
  console.error(`Cannot start: ${message || code}`);
  process.exit(1);
});
