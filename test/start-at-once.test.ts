import type { MigrationInterface, QueryRunner } from "typeorm";
import { migrations } from "typeorm-task-run-state";

import { migrate } from "../examples/host/migrate";
import { useDatabase } from "./support/database";

const database = useDatabase();

/** A migration of the host that ends only after every statement that is older has ended. */
class IndexName1795400000000 implements MigrationInterface {
  readonly transaction = false;
  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("CREATE INDEX CONCURRENTLY ix_name ON task_run_state (name)");
  }
  async down(): Promise<void> {}
}

test("of four hosts that start at once, one creates an index concurrently while the others wait", async () => {
  const connect = () =>
    database.connect({
      migrations: [...migrations, IndexName1795400000000],
      migrationsRun: false,
      migrationsTransactionMode: "each",
    });
  const hosts = await Promise.all([connect(), connect(), connect(), connect()]);
  await Promise.all(hosts.map(migrate));

  const [{ manager }] = hosts;
  expect(await manager.query("SELECT name FROM migrations ORDER BY id")).toEqual([
    { name: "CreateTaskRunState1795305600000" },
    { name: "IndexName1795400000000" },
  ]);
  const isValid = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_name'::regclass";
  expect(await manager.query(isValid)).toEqual([{ indisvalid: true }]);
});
