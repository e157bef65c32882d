/** Runs the migrations of an example, as a step of a deployment does, and then the example: `start.ts express`. */
import { join } from "node:path";
import type { DataSource } from "typeorm";

import { migrate } from "./host/migrate";

async function main(example: string): Promise<void> {
  const load = (file: string) => import(join(__dirname, example, file));
  const { default: dataSource }: { default: DataSource } = await load("data-source.ts");
  await dataSource.initialize();
  await migrate(dataSource);
  await dataSource.destroy();
  await load("main.ts");
}

main(process.argv[2] ?? "");
