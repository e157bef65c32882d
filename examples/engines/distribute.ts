import type { MigrationInterface, QueryRunner } from "typeorm";

/** Spreads the states of the table over the workers by their ids. */
export class DistributeById1795500000001 implements MigrationInterface {
  async up({ manager }: QueryRunner): Promise<void> {
    await manager.query(
      "SELECT create_distributed_table('task_run_state', 'id', shard_count => 8, colocate_with => 'none')",
    );
  }

  /** Brings the rows back. */
  async down({ manager }: QueryRunner): Promise<void> {
    await manager.query("SELECT undistribute_table('task_run_state')");
  }
}

/** Spreads whole histories over the workers. Citus wants the column that it goes by in the key. */
export class DistributeByTaskRun1795500000002 implements MigrationInterface {
  async up({ manager }: QueryRunner): Promise<void> {
    await manager.query(`
      ALTER TABLE task_run_state DROP CONSTRAINT pk_task_run_state,
        ADD CONSTRAINT pk_task_run_state PRIMARY KEY (id, task_run_id)`);
    await manager.query(
      "SELECT create_distributed_table('task_run_state', 'task_run_id', shard_count => 8, colocate_with => 'none')",
    );
  }

  async down({ manager }: QueryRunner): Promise<void> {
    await manager.query("SELECT undistribute_table('task_run_state')");
    await manager.query(`
      ALTER TABLE task_run_state DROP CONSTRAINT pk_task_run_state,
        ADD CONSTRAINT pk_task_run_state PRIMARY KEY (id)`);
  }
}

/** Moves the whole table to one worker. */
export class MoveToOneWorker1795500000003 implements MigrationInterface {
  async up({ manager }: QueryRunner): Promise<void> {
    await manager.query("SELECT create_distributed_table('task_run_state', NULL, colocate_with => 'none')");
  }

  async down({ manager }: QueryRunner): Promise<void> {
    await manager.query("SELECT undistribute_table('task_run_state')");
  }
}
