import { createHash } from "node:crypto";
import type { ColumnType, DataSource, EntityMetadata } from "typeorm";

import { StateType, TERMINAL_STATE_TYPES } from "../entities/state-type";
import { TaskRunState } from "../entities/task-run-state.entity";
import { isPlain } from "./is-plain";
import { WRITTEN_COLUMNS, type WrittenColumn } from "./new-task-run-state";

/** The SQL of this module for the table of one data source: with its schema, its prefix and its names. */
export interface Statements {
  /** Whether the rows that `read` and `list` return hold all that `find` would give. */
  readonly isPlain: boolean;
  /** Has one parameter, an id, and returns `columns`. */
  readonly read: string;
  /** Has one parameter, the id of a task run, and returns `columns`. */
  readonly list: string;
  /** Has one parameter, an array of ids of task runs, and returns `columns` of the latest state of each. */
  readonly latest: string;
  /** Is `latest` as a subquery of the states' ids alone, for `find`, with the parameter `:taskRunIds`. */
  readonly latestIds: string;
  /** By type. Has as parameters the values of `INSERT_PARAMETERS`, and returns `columns`. */
  readonly insert: Readonly<Record<StateType, string>>;
  /**
   * Has a parameter for each of `WRITTEN_COLUMNS`, which holds the values of all states: as JSON for one of `jsonColumns`, else
   * as an array. Returns `columns`.
   */
  readonly insertMany: string;
  /** The properties of the rows that a statement returns, in the order in which it returns them. */
  readonly columns: readonly string[];
  /** Those of `columns` that are a timestamptz. */
  readonly times: readonly string[];
  /** Those of `WRITTEN_COLUMNS` that hold JSON. */
  readonly jsonColumns: ReadonlySet<WrittenColumn>;
  /** Has one parameter, an id. */
  readonly delete: string;
  /** Has as parameters a date, how many task runs to look at, how many states to delete and, where it continues, an id. */
  prune(dryRun: boolean, continues: boolean): string;
}

/** Kept for as long as the data source keeps the metadata that they were built from. */
const built = new WeakMap<EntityMetadata, Statements>();

export function statementsFor(dataSource: DataSource): Statements {
  const metadata = dataSource.getMetadata(TaskRunState);
  return built.get(metadata) ?? build(dataSource, metadata);
}

function build(dataSource: DataSource, metadata: EntityMetadata): Statements {
  const quote = (name: string) => dataSource.driver.escape(name);
  const table = metadata.tablePath.split(".").map(quote).join(".");
  const list = (castOfEnum: string) =>
    metadata.columns
      .map(({ databaseName, propertyName, type }) => {
        const cast = type === "enum" ? castOfEnum : "";
        const alias = databaseName === propertyName ? "" : ` AS ${quote(propertyName)}`;
        return `${quote(databaseName)}${cast}${alias}`;
      })
      .join(", ");
  const sent: Form = { columns: list(""), row: (values) => `VALUES (${values})` };
  const toPrepare: Form = { columns: list("::text"), row: (values) => `SELECT ${values}` };
  const statement = (operation: string, write: (form: Form) => string) => {
    const sql = write(sent);
    prepare(operation, sql, write(toPrepare));
    return sql;
  };
  const columnTypes = new Map(metadata.columns.map(({ databaseName, type }) => [databaseName, type]));
  const deleted = metadata.deleteDateColumn && quote(metadata.deleteDateColumn.databaseName);
  const statements: Statements = {
    isPlain: isPlain(metadata, dataSource),
    read: statement("read", ({ columns }) => `SELECT ${columns} FROM ${table} WHERE id = $1`),
    list: statement(
      "list",
      ({ columns }) => `SELECT ${columns} FROM ${table} WHERE task_run_id = $1 ORDER BY timestamp, id`,
    ),
    latest: statement("latest", ({ columns }) => latest(columns, table, "$1")),
    latestIds: latest("id", table, ":taskRunIds", deleted && `AND ${deleted} IS NULL`),
    insert: mapTypes((type) => statement("insert", (form) => insert(table, type, form))),
    insertMany: statement("insert_many", ({ columns }) => insertMany(columnTypes, table, columns)),
    columns: metadata.columns.map(({ propertyName }) => propertyName),
    times: metadata.columns
      .filter(({ type }) => type === "timestamptz")
      .map(({ propertyName }) => propertyName),
    jsonColumns: new Set(WRITTEN_COLUMNS.filter((column) => columnTypes.get(column) === "jsonb")),
    delete: statement("delete", () => `DELETE FROM ${table} WHERE "id" = $1`),
    prune: (dryRun, continues) => prune(table, dryRun, continues),
  };
  built.set(metadata, statements);
  return statements;
}

/**
 * How a statement is written. The enum is another type in each schema: a prepared statement that returned it would be refused
 * (0A000) after `SET search_path`, so it returns a text, which takes PostgreSQL longer. After `VALUES`, Citus refuses to make a
 * text of it. `SELECT` takes PostgreSQL longer to plan.
 */
interface Form {
  /** The columns of the table by the names of their properties. */
  readonly columns: string;
  /** A row to insert. */
  row(values: string): string;
}

function mapTypes(map: (type: StateType) => string): Record<StateType, string> {
  const types = Object.values(StateType);
  return Object.fromEntries(types.map((type) => [type, map(type)])) as Record<StateType, string>;
}

/** Has PostgreSQL read two rows of each task run, and one more for each further state of the latest time. */
function latest(columns: string, table: string, parameter: string, condition = ""): string {
  return `SELECT state.* FROM unnest(${parameter}::uuid[]) AS asked (run) CROSS JOIN LATERAL (
    SELECT ${columns} FROM ${table} WHERE task_run_id = asked.run ${condition} ORDER BY timestamp DESC, id DESC LIMIT 1
  ) AS state`;
}

/** The columns whose values are parameters of a statement that inserts one state. */
export const INSERT_PARAMETERS = WRITTEN_COLUMNS.filter((column) => column !== "type");

/**
 * The type is in the text: a literal takes the column's type anew under each `search_path`, which a parameter of a
 * prepared statement does not.
 */
function insert(table: string, type: StateType, { columns, row }: Form): string {
  const values = WRITTEN_COLUMNS.map((column) => {
    if (column === "type") return `'${type}'`;
    const parameter = `$${INSERT_PARAMETERS.indexOf(column) + 1}`;
    return column === "timestamp" ? `COALESCE(${parameter}, clock_timestamp())` : parameter;
  });
  return `INSERT INTO ${table} (${WRITTEN_COLUMNS.join()}) ${row(values.join())} RETURNING ${columns}`;
}

/**
 * A row of the table's own type gives the enum, whose name is another one in each schema. States without a time get times
 * that rise by a microsecond: those of `clock_timestamp()` may be equal.
 */
function insertMany(columnTypes: Map<string, ColumnType>, table: string, columns: string): string {
  const given: string[] = [];
  const values: string[] = [];
  for (const [index, column] of WRITTEN_COLUMNS.entries()) {
    const parameter = `$${index + 1}`;
    const type = columnTypes.get(column);
    if (type === "jsonb") {
      given.push(`jsonb_array_elements(${parameter}::jsonb)`);
      values.push(`NULLIF(${column}, 'null')`);
    } else if (type === "enum") {
      given.push(`unnest(${parameter}::text[])`);
      const labels = Object.values(StateType).map((label) => ` WHEN '${label}' THEN '${label}'`);
      values.push(`CASE ${column}${labels.join("")} ELSE (NULL::${table}).${column} END`);
    } else {
      given.push(`unnest(${parameter}::${type}[])`);
      const clock = "(SELECT clock_timestamp()) + ordinality * interval '1 microsecond'";
      values.push(column === "timestamp" ? `COALESCE(${column}, ${clock})` : column);
    }
  }
  return `INSERT INTO ${table} (${WRITTEN_COLUMNS.join()}) SELECT ${values.join()}
    FROM ROWS FROM (${given.join()}) WITH ORDINALITY AS given (${WRITTEN_COLUMNS.join()}, ordinality)
    RETURNING ${columns}`;
}

/** What a client prepares in the place of a text. */
export interface PreparedForm {
  readonly name: string;
  readonly text: string;
}

/** By the text that is sent. A few for each schema and prefix that the process has ever used. */
const preparedForms = new Map<string, PreparedForm>();

/** Names a statement by its text, so that it has the same name in every process, of less than PostgreSQL's 64 bytes. */
function prepare(operation: string, sent: string, text: string): void {
  const hash = createHash("sha256").update(text).digest("hex").slice(0, 32);
  preparedForms.set(sent, { name: `task_run_state_${operation}_${hash}`, text });
}

/** Undefined where the text is none of this module's, or is not worth a prepared statement. */
export function preparedFormOf(sql: string): PreparedForm | undefined {
  return preparedForms.get(sql);
}

/** The parameters of this module's calls. An entry lasts as long as its array, and so as long as the call. */
const calls = new WeakSet<object>();

/** The parameters of a call that takes its rows as arrays too. TypeORM hands the array to the client as it is. */
export function bind(...parameters: unknown[]): unknown[] {
  calls.add(parameters);
  return parameters;
}

/** Tells a call of this module from one of a host that sends the same SQL. */
export function isCall(parameters: unknown): boolean {
  return calls.has(parameters as object);
}

/**
 * A skip scan: from each task run the index leads to the next one, and to when that began. A task run that began after
 * `before` is not old, so that most of them take no second look. The states of those that are to go are counted, as far as
 * it matters. The scan stops where they are as many as a step deletes. A history that does not fit waits for the next
 * step, but for one that no step has room for, the giant.
 *
 * Those that are to go are an array, since without statistics PostgreSQL would read the whole table to join it with them.
 * The rest of a giant begins with the first state that stays. It is looked for in a range of the index, which PostgreSQL
 * reads in order whatever the statistics say. No look begins before `began`, where the entries of deleted states may be.
 */
function prune(table: string, dryRun: boolean, continues: boolean): string {
  const finished = [...TERMINAL_STATE_TYPES].map((type) => `'${type}'`).join();
  const next = (condition: string) => `
    SELECT task_run_id, began, CASE WHEN began < $1 AND EXISTS (
        SELECT FROM (
          SELECT timestamp FROM ${table} WHERE task_run_id = next.task_run_id ORDER BY timestamp DESC LIMIT 1
        ) last CROSS JOIN LATERAL (
          SELECT type FROM ${table} WHERE task_run_id = next.task_run_id AND timestamp = last.timestamp
          ORDER BY id DESC LIMIT 1
        ) latest WHERE last.timestamp < $1 AND latest.type IN (${finished})
      ) THEN (SELECT count(*) FROM (
        SELECT FROM ${table} WHERE task_run_id = next.task_run_id AND timestamp >= began LIMIT $3 + 1
      ) history) ELSE 0 END AS states
    FROM (
      SELECT task_run_id, timestamp AS began FROM ${table} ${condition} ORDER BY task_run_id, timestamp LIMIT 1
    ) next OFFSET 0`;
  const histories = `FROM ${table} WHERE task_run_id = ANY (ARRAY(
        SELECT task_run_id FROM seen WHERE states > 0 AND (total <= $3 OR total = states)
      ))`;
  const deletion = `DELETE ${histories} AND timestamp >= (SELECT min(began) FROM seen)
        AND (timestamp, id) < (COALESCE((SELECT timestamp FROM rest), $1), (SELECT id FROM rest))
      RETURNING task_run_id`;
  return `
    WITH RECURSIVE seen (place, task_run_id, began, states, total) AS (
      SELECT 1::bigint, run.*, states FROM (${next(continues ? "WHERE task_run_id > $4" : "")}) run
      UNION ALL
      SELECT place + 1, run.*, total + run.states
      FROM seen CROSS JOIN LATERAL (${next("WHERE task_run_id > seen.task_run_id")}) run
      WHERE place < $2 AND total < $3
    ), giant AS (
      SELECT task_run_id, began FROM seen WHERE total = states AND states > $3
    ), rest AS (
      SELECT timestamp, id FROM ${table}
      WHERE (task_run_id, timestamp) >= ((SELECT task_run_id FROM giant), (SELECT began FROM giant))
      ORDER BY task_run_id, timestamp, id OFFSET $3 LIMIT 1
    ), gone AS (
      ${dryRun ? `SELECT task_run_id ${histories}` : deletion}
    ), done AS (
      SELECT place, task_run_id FROM seen
      WHERE total <= $3 OR total = states AND ${dryRun ? "true" : "NOT EXISTS (SELECT FROM gone)"}
    )
    SELECT (SELECT count(*) FROM done) AS "taskRunsSeen",
      (SELECT count(DISTINCT task_run_id) FROM gone JOIN done USING (task_run_id)) AS "taskRuns",
      (SELECT count(*) FROM gone) AS states,
      (SELECT task_run_id FROM done ORDER BY place DESC LIMIT 1) AS after,
      (SELECT count(*) FROM seen WHERE place = $2 OR total >= $3) AS stopped`;
}
