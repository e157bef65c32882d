import type { EntityManager, MigrationInterface, QueryRunner } from "typeorm";

/**
 * Makes of the table one with a partition for each week. It comes after the package's migrations. Another table takes the
 * place of yours: it gets the columns, their comments and checks, the owner and the grants. Whatever else hangs on yours is
 * named in the error, and nothing has changed then.
 */
export class PartitionByWeek1795500000000 implements MigrationInterface {
  /** What is there becomes the partition of all ids before next Monday. PostgreSQL reads it once, and copies nothing. */
  async up({ manager }: QueryRunner): Promise<void> {
    const access = await accessOf(manager);
    await manager.query(`
      ALTER TABLE task_run_state RENAME TO task_run_state_before;
      ALTER INDEX pk_task_run_state RENAME TO pk_task_run_state_before;
      ALTER INDEX ix_task_run_state__task_run_id_timestamp RENAME TO ix_task_run_state_before;

      CREATE TABLE task_run_state (
        LIKE task_run_state_before ${COLUMNS}, CONSTRAINT pk_task_run_state PRIMARY KEY (id)
      ) PARTITION BY RANGE (id);
      CREATE INDEX ix_task_run_state__task_run_id_timestamp ON task_run_state (task_run_id, timestamp);
      ${access};

      ALTER TABLE task_run_state ATTACH PARTITION task_run_state_before
        FOR VALUES FROM (MINVALUE) TO ('${firstId(nextMonday())}');
      CREATE TABLE task_run_state_other PARTITION OF task_run_state DEFAULT`);
    await addWeeks(manager, 4);
  }

  /** Copies every row. */
  async down({ manager }: QueryRunner): Promise<void> {
    const access = await accessOf(manager);
    await manager.query(`
      CREATE TABLE task_run_state_whole (LIKE task_run_state ${COLUMNS});
      INSERT INTO task_run_state_whole SELECT * FROM task_run_state;
      DROP TABLE task_run_state;
      ALTER TABLE task_run_state_whole RENAME TO task_run_state;
      ALTER TABLE task_run_state ADD CONSTRAINT pk_task_run_state PRIMARY KEY (id);
      CREATE INDEX ix_task_run_state__task_run_id_timestamp ON task_run_state (task_run_id, timestamp);
      ${access}`);
  }
}

const COLUMNS = "INCLUDING ALL EXCLUDING INDEXES EXCLUDING STATISTICS";

/** The SQL that gives a new table the owner and the grants of this one. Refuses a table that has more than a new one gets. */
async function accessOf(manager: EntityManager): Promise<string> {
  const others: { other: string }[] = await manager.query(`
    SELECT other FROM pg_class state, LATERAL (
      SELECT pg_describe_object(classid, objid, objsubid) FROM pg_depend
       WHERE refclassid IN ('pg_class'::regclass, 'pg_type'::regclass) AND refobjid IN (state.oid, state.reltype)
         AND deptype <> 'i' AND classid <> 'pg_attrdef'::regclass
         AND objid <> 'ix_task_run_state__task_run_id_timestamp'::regclass
         AND NOT EXISTS (SELECT FROM pg_inherits WHERE inhrelid = objid)
         AND NOT EXISTS (SELECT FROM pg_constraint WHERE oid = objid AND conrelid = state.oid AND contype IN ('c', 'n', 'p'))
      UNION SELECT 'comment on the table' WHERE obj_description(state.oid, 'pg_class') IS NOT NULL
      UNION SELECT 'grants on column ' || attname FROM pg_attribute WHERE attrelid = state.oid AND attacl IS NOT NULL
      UNION SELECT 'replica identity' WHERE state.relreplident <> 'd'
      UNION SELECT 'row level security' WHERE state.relrowsecurity
      UNION SELECT 'storage parameters' WHERE state.reloptions IS NOT NULL
    ) found (other) WHERE state.oid = 'task_run_state'::regclass ORDER BY other`);
  if (others.length > 0) {
    const list = others.map(({ other }) => other).join(", ");
    throw new Error(`Drop these before this migration, and create them again behind it: ${list}.`);
  }
  const [{ access }] = await manager.query(`
    SELECT concat_ws('; ', format('ALTER TABLE task_run_state OWNER TO %I', pg_get_userbyid(relowner)), (
      SELECT string_agg(format('GRANT %s ON task_run_state TO %s %s', privilege_type,
        CASE grantee WHEN 0 THEN 'PUBLIC' ELSE quote_ident(pg_get_userbyid(grantee)) END,
        CASE WHEN is_grantable THEN 'WITH GRANT OPTION' END), '; ')
      FROM aclexplode(relacl)
    )) AS access FROM pg_class WHERE oid = 'task_run_state'::regclass`);
  return access;
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
