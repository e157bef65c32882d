import { NestFactory } from "@nestjs/core";
import type { NestExpressApplication } from "@nestjs/platform-express";
import { DataSource } from "typeorm";

import { hint, SHUTDOWN_MS } from "../host/http.js";
import { migrate } from "../host/migrate.js";
import { AppModule } from "./app.module.js";

async function main(): Promise<void> {
  const app = await NestFactory.create<NestExpressApplication>(AppModule, {
    logger: ["error", "warn"],
    bodyParser: false, // Its default takes forms too.
    return503OnClosing: true, // Else a client that goes on asking on its open connection keeps the server from closing.
  });
  app.useBodyParser("json");
  // Without process.exit Nest would end itself by the signal, and a supervisor would see a failure.
  app.enableShutdownHooks(["SIGINT", "SIGTERM"], { useProcessExit: true });
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    process.on(signal, () =>
      setTimeout(() => app.getHttpServer().closeAllConnections(), SHUTDOWN_MS).unref(),
    );
  }
  await migrate(app.get(DataSource));
  await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
  console.log(hint(await app.getUrl()));
}

main();
