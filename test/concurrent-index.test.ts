import { Index, type MigrationInterface, type QueryRunner } from "typeorm";
import { migrations, TaskRunState } from "typeorm-task-run-state";

import { drift } from "./support/catalog";
import { useDatabase } from "./support/database";
import { sqlStateOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const CREATE = "CREATE INDEX CONCURRENTLY ix_timestamp ON task_run_state (timestamp)";

class AddIndex1895305600000 implements MigrationInterface {
  readonly transaction = false;

  async up(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("DROP INDEX CONCURRENTLY IF EXISTS ix_timestamp");
    await queryRunner.query(CREATE);
  }
  async down(queryRunner: QueryRunner): Promise<void> {
    await queryRunner.query("DROP INDEX CONCURRENTLY IF EXISTS ix_timestamp");
  }
}

test("an index whose CONCURRENTLY was interrupted is invalid, which TypeORM does not see; its migration makes it anew, and reverts in the mode none", async () => {
  Index("ix_timestamp", ["timestamp"])(TaskRunState);
  await database.connect();
  const dataSource = await database.connect({
    migrations: [...migrations, AddIndex1895305600000],
    migrationsRun: false,
  });
  const isValid = async () => {
    const sql = "SELECT indisvalid FROM pg_index WHERE indexrelid = 'ix_timestamp'::regclass";
    const [{ indisvalid }] = await dataSource.query(sql);
    return indisvalid;
  };

  const impatient = await database.connect({
    migrationsRun: false,
    extra: { options: "-c statement_timeout=200" },
  });
  await dataSource.transaction(async (writer) => {
    await record(writer);
    expect(await sqlStateOf(impatient.query(CREATE))).toBe("57014");
  });
  expect(await isValid()).toBe(false);
  expect(await drift(dataSource)).toEqual([]);

  await dataSource.runMigrations({ transaction: "each" });
  expect(await isValid()).toBe(true);
  expect(await sqlStateOf(dataSource.undoLastMigration())).toBe("25001");
  await dataSource.undoLastMigration({ transaction: "none" });
  expect(await drift(dataSource)).toEqual([expect.stringContaining('CREATE INDEX "ix_timestamp"')]);
});
