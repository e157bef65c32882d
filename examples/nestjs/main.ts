import { NestFactory } from "@nestjs/core";
import { DataSource } from "typeorm";

import { hint } from "../host/hint.js";
import { migrate } from "../host/migrate.js";
import { AppModule } from "./app.module.js";

async function main(): Promise<void> {
  const app = await NestFactory.create(AppModule, { logger: ["error", "warn"] });
  app.enableShutdownHooks();
  await migrate(app.get(DataSource));
  await app.listen(Number(process.env.PORT ?? 3000), "127.0.0.1");
  console.log(hint(await app.getUrl()));
}

main();
