import type { EntityManager, MigrationInterface, QueryRunner } from "typeorm";

/** Makes of the table one with a partition for each week. It comes after the package's migrations. */
export class PartitionByWeek1795500000000 implements MigrationInterface {
  /** What is there becomes the partition of all ids before next Monday. PostgreSQL reads it once, and copies nothing. */
  async up({ manager }: QueryRunner): Promise<void> {
    await manager.query(`
      ALTER TABLE task_run_state RENAME TO task_run_state_before;
      ALTER INDEX pk_task_run_state RENAME TO pk_task_run_state_before;
      ALTER INDEX ix_task_run_state__task_run_id_timestamp RENAME TO ix_task_run_state_before;

      CREATE TABLE task_run_state (
        LIKE task_run_state_before INCLUDING DEFAULTS, CONSTRAINT pk_task_run_state PRIMARY KEY (id)
      ) PARTITION BY RANGE (id);
      CREATE INDEX ix_task_run_state__task_run_id_timestamp ON task_run_state (task_run_id, timestamp);

      ALTER TABLE task_run_state ATTACH PARTITION task_run_state_before
        FOR VALUES FROM (MINVALUE) TO ('${firstId(nextMonday())}');
      CREATE TABLE task_run_state_other PARTITION OF task_run_state DEFAULT`);
    await addWeeks(manager, 4);
  }

  /** Copies every row. */
  async down({ manager }: QueryRunner): Promise<void> {
    await manager.query(`
      CREATE TABLE task_run_state_whole (LIKE task_run_state INCLUDING DEFAULTS);
      INSERT INTO task_run_state_whole SELECT * FROM task_run_state;
      DROP TABLE task_run_state;
      ALTER TABLE task_run_state_whole RENAME TO task_run_state;
      ALTER TABLE task_run_state ADD CONSTRAINT pk_task_run_state PRIMARY KEY (id);
      CREATE INDEX ix_task_run_state__task_run_id_timestamp ON task_run_state (task_run_id, timestamp)`);
  }
}

/** Makes the partitions of the next so many weeks, as far as they are missing. Call it once a week. */
export async function addWeeks(manager: EntityManager, count: number): Promise<void> {
  for (let week = 0; week < count; week++) {
    const start = nextMonday() + week * WEEK;
    await manager.query(`
      CREATE TABLE IF NOT EXISTS ${partition(start)} PARTITION OF task_run_state
      FOR VALUES FROM ('${firstId(start)}') TO ('${firstId(start + WEEK)}')`);
  }
}

/** Drops the weeks that had ended by this time, with all states that were recorded in them. */
export async function dropWeeks(manager: EntityManager, endedBy: Date): Promise<void> {
  const partitions: { name: string }[] = await manager.query(
    `SELECT relname AS name FROM pg_inherits JOIN pg_class ON oid = inhrelid
     WHERE inhparent = 'task_run_state'::regclass AND relname ~ '_w\\d{8}$' AND relname <= $1`,
    [partition(endedBy.getTime() - WEEK)],
  );
  for (const { name } of partitions) await manager.query(`DROP TABLE ${name}`);
}

const WEEK = 7 * 24 * 60 * 60 * 1000;

/** The week whose Monday, in UTC, is in `task_run_state_w20261130`. */
function partition(start: number): string {
  return `task_run_state_w${new Date(start).toISOString().slice(0, 10).replaceAll("-", "")}`;
}

/** The year 1970 began on a Thursday. */
function nextMonday(): number {
  const FIRST_MONDAY = 4 * 24 * 60 * 60 * 1000;
  return FIRST_MONDAY + Math.ceil((Date.now() - FIRST_MONDAY) / WEEK) * WEEK;
}

/** No UUID of version 7 that is made from this time on is lower: its first 48 bits are the time. */
function firstId(time: number): string {
  const digits = time.toString(16).padStart(12, "0");
  return `${digits.slice(0, 8)}-${digits.slice(8)}-0000-0000-000000000000`;
}
