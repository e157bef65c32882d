import type { Client } from "pg";
import { DataSource } from "typeorm";
import { TaskRunState } from "../../dist";
import { PREFECT_TABLE } from "../../scripts/prefect/table";
import { migrate, runId } from "./database";
import { progress } from "./progress";
import { type Effort, inRounds } from "./rounds";
import { STATES } from "./scale-table";
import { quotients, type Spread, spreadOf } from "./statistics";
import { grouped } from "./text";

/** The same rows, written in the same order to this module's table and to Prefect's. */
export interface WriteComparison {
  rows: number;
  here: TableFigures;
  original: TableFigures;
  /** The original's time divided by this module's, in the same round. */
  advantage: {
    loading: number;
    recording: Spread;
    inserting: Spread;
  };
}

export interface TableFigures {
  tableBytes: number;
  indexBytes: Record<string, number>;
  loadedRowsPerSecond: number;
  /** For 1,000 states in one statement that copies them from another table: the server does all the work. */
  recordingMilliseconds: Spread;
  /** Of write-ahead log, for each of these states. */
  walBytesPerState: number;
  /** For 1,000 states through `manager.insert`. TypeORM's part is the same for both tables. */
  insertingMilliseconds: Spread;
}

const BULK = 1000;

/** The columns of the batch. Its `type` is text, because each table has its own enum. */
const columns = (enumType: string) =>
  `id, created, updated, type::text::${enumType}, timestamp, name, message, state_details, data,
   task_run_id, result_artifact_id`;

export async function compareWrites(
  client: Client,
  url: string,
  { source, rows, ...effort }: Effort & { source: string; rows: number },
): Promise<WriteComparison> {
  await client.query("CREATE SCHEMA here");
  await migrate(url, { schema: "here" });
  await createOriginal(client);
  await client.query(`INSERT INTO original.task_run SELECT DISTINCT task_run_id FROM ${source}`);
  await client.query("SET synchronize_seqscans = off"); // Rows arrive in the order in which they lie in the source.
  const here = new Side("here", "task_run_state_type", url);
  const original = new Side("original", "state_type", url);
  const sides = [here, original];
  for (const side of sides) {
    progress(`loading ${grouped(rows)} rows: ${side.schema}`);
    await side.load(client, source);
  }
  try {
    for (const side of sides) await side.dataSource.initialize();
    const groups = WAYS.map((way) => sides.map((side) => ({ side, way })));
    let waiting: Side[] = []; // The batch has yet to go there.
    const measured = await inRounds("recording", effort, groups, async ({ side, way }) => {
      if (!waiting.includes(side)) {
        await createBatch(client, source, rows);
        waiting = sides;
      }
      waiting = waiting.filter((other) => other !== side);
      return side[way](client);
    });
    for (const [{ side, way }, writes] of measured) side.writes[way] = writes;
  } finally {
    for (const { dataSource } of sides) if (dataSource.isInitialized) await dataSource.destroy();
  }
  return {
    rows,
    here: await here.figures(client, rows),
    original: await original.figures(client, rows),
    advantage: {
      loading: original.loading / here.loading,
      recording: spreadOf(quotients(original.milliseconds("record"), here.milliseconds("record"))),
      inserting: spreadOf(quotients(original.milliseconds("insert"), here.milliseconds("insert"))),
    },
  };
}

/** Prefect's own table, in the schema "original". */
async function createOriginal(client: Client): Promise<void> {
  await client.query(`
    BEGIN;
    CREATE SCHEMA original;
    SET LOCAL search_path TO original;
    ${PREFECT_TABLE}
    COMMIT;`);
}

/** How a batch is written: by the server alone, or through TypeORM. */
const WAYS = ["record", "insert"] as const;
type Way = (typeof WAYS)[number];

interface Write {
  milliseconds: number;
  walBytes: number;
}

/** One of the two tables, with what was measured on it. */
class Side {
  readonly dataSource: DataSource;
  /** In milliseconds. */
  loading = 0;
  readonly writes: Record<Way, Write[]> = { record: [], insert: [] };

  constructor(
    readonly schema: string,
    private readonly enumType: string,
    url: string,
  ) {
    this.dataSource = new DataSource({ type: "postgres", url, schema, entities: [TaskRunState] });
  }

  async load(client: Client, source: string): Promise<void> {
    this.loading = await milliseconds(() => this.copy(client, source));
    await client.query(`VACUUM (ANALYZE) ${this.schema}.task_run_state`);
  }

  milliseconds(way: Way): number[] {
    return this.writes[way].map(({ milliseconds }) => milliseconds);
  }

  record(client: Client): Promise<Write> {
    return measureWrite(client, () => this.copy(client, "batch"));
  }

  async insert(client: Client): Promise<Write> {
    const { rows } = await client.query<Partial<TaskRunState>>(
      `SELECT id, type, timestamp, name, message, state_details AS "stateDetails", data, task_run_id AS "taskRunId"
       FROM batch`,
    );
    const { manager } = this.dataSource;
    const states = rows.map((row) => manager.create(TaskRunState, row));
    return measureWrite(client, () => manager.insert(TaskRunState, states));
  }

  async figures(client: Client, rows: number): Promise<TableFigures> {
    const table = `${this.schema}.task_run_state`;
    const { rows: indexes } = await client.query<{ name: string; bytes: string }>(
      `SELECT indexrelid::regclass::text AS name, pg_relation_size(indexrelid) AS bytes
       FROM pg_index WHERE indrelid = $1::regclass ORDER BY indexrelid`,
      [table],
    );
    const { rows: sizes } = await client.query<{ bytes: string }>(
      "SELECT pg_table_size($1::regclass) AS bytes",
      [table],
    );
    return {
      tableBytes: Number(sizes[0]?.bytes),
      indexBytes: Object.fromEntries(
        indexes.map(({ name, bytes }) => [name.slice(this.schema.length + 1), Number(bytes)]),
      ),
      loadedRowsPerSecond: (rows / this.loading) * 1000,
      recordingMilliseconds: spreadOf(this.milliseconds("record")),
      walBytesPerState: spreadOf(this.writes.record.map(({ walBytes }) => walBytes)).median / BULK,
      insertingMilliseconds: spreadOf(this.milliseconds("insert")),
    };
  }

  private copy(client: Client, source: string): Promise<unknown> {
    return client.query(
      `INSERT INTO ${this.schema}.task_run_state SELECT ${columns(`${this.schema}.${this.enumType}`)} FROM ${source}`,
    );
  }
}

/** The next 1,000 states of a hundred task runs. Their times and ids are later than all that are stored. */
async function createBatch(client: Client, source: string, rows: number): Promise<void> {
  await client.query("DROP TABLE IF EXISTS batch");
  await client.query(
    `CREATE TEMP TABLE batch AS
     SELECT (lpad(to_hex((extract(epoch FROM clock_timestamp()) * 1000)::bigint), 12, '0') || '7'
         || substr(md5(random()::text), 1, 3) || '8' || substr(md5(random()::text), 1, 15))::uuid AS id,
       now() AS created, now() AS updated, type::text,
       now() + (timestamp - timestamptz '2026-01-01') AS timestamp, name, message, state_details, data,
       task_run_id, result_artifact_id
     FROM ${source} WHERE task_run_id IN (
       SELECT ${runId("run", "floor(random() * $1::int)::int")} FROM generate_series(1, $2::int)
     ) LIMIT ${BULK}`,
    [rows / STATES, (2 * BULK) / STATES],
  );
}

async function milliseconds(work: () => Promise<unknown>): Promise<number> {
  const start = performance.now();
  await work();
  return performance.now() - start;
}

async function measureWrite(client: Client, work: () => Promise<unknown>): Promise<Write> {
  const before = await walPosition(client);
  const elapsed = await milliseconds(work);
  return { milliseconds: elapsed, walBytes: (await walPosition(client)) - before };
}

async function walPosition(client: Client): Promise<number> {
  const { rows } = await client.query<{ bytes: string }>(
    "SELECT pg_current_wal_insert_lsn() - '0/0'::pg_lsn AS bytes",
  );
  return Number(rows[0]?.bytes);
}
