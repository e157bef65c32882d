import { NestFactory } from "@nestjs/core";

import { AppModule } from "./app.module.js";

const { HOST = "127.0.0.1", PORT = "3000" } = process.env;

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { abortOnError: false });
  app.enableShutdownHooks(); // SIGTERM closes the data source.
  await app.listen(Number(PORT), HOST);
  console.log("Listening on", await app.getUrl());
}

main().catch(({ message, code }: NodeJS.ErrnoException) => {
  console.error(`Cannot start: ${message || code}`);
  process.exit(1);
});
