import { DataSource, type MigrationInterface } from "typeorm";

import { migrate } from "../../examples/host/migrate";

class NeverEnd1795219200000 implements MigrationInterface {
  async up(): Promise<void> {
    console.log("migrating");
    await new Promise(() => {});
  }
  async down(): Promise<void> {}
}

/** A host with a migration that never ends. */
async function main(): Promise<void> {
  const { DATABASE_URL: url = "" } = process.env;
  const dataSource = new DataSource({ type: "postgres", url, migrations: [NeverEnd1795219200000] });
  await migrate(await dataSource.initialize());
}

main();
