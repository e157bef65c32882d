import { once } from "node:events";
import { DataSource, type MigrationInterface, type QueryRunner } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { migrate } from "../../examples/host/migrate";

/** A migration of the host's own that waits until every statement that is older has ended. */
class IndexName1795400000000 implements MigrationInterface {
  readonly transaction = false;
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("CREATE INDEX CONCURRENTLY ix_name ON task_run_state (name)");
  }
  async down(): Promise<void> {}
}

/** Starts as a host does, when its parent says so, and reports what came of it. */
async function main(): Promise<void> {
  const locked = process.argv[2] === "locked";
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
    migrations: locked ? [...migrations, IndexName1795400000000] : migrations,
    migrationsTransactionMode: "each",
    migrationsRun: !locked,
  });
  process.send?.("ready");
  await once(process, "message");
  const start = async () => {
    await dataSource.initialize();
    if (locked) await migrate(dataSource);
    return "started";
  };
  const outcome = await start().catch(({ message }: Error) => message);
  if (dataSource.isInitialized) await dataSource.destroy();
  process.send?.(outcome);
  process.disconnect();
}

main();
