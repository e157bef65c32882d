import { randomUUID } from "node:crypto";
import { Client, type Pool } from "pg";
import { DataSource, type DataSourceOptions, type Logger } from "typeorm";
import { migrations, TaskRunState, withPreparedStatements } from "typeorm-task-run-state";

type PostgresOptions = Extract<DataSourceOptions, { type: "postgres" }>;

export interface TestDatabase {
  url: string;
  /**
   * A data source as a host has it: the entity registered, the migration run. It is destroyed after the last test
   * of the file; what it sent to the database until then stands in `statements`.
   */
  connect(options?: Partial<Omit<PostgresOptions, "type">>): Promise<TestDataSource>;
}

/** For the `extra` of a data source: what PREPARED=1 and PIPELINE=1 in the environment ask of the tests' data sources. */
export const clientOptions = {
  ...(process.env.PREPARED && { Client: withPreparedStatements(Client) }),
  ...(process.env.PIPELINE && { pipeline: true }),
};

export type TestDataSource = DataSource & { statements: string[] };

/**
 * Gives the test file a database of its own. It is dropped after the last test, which fails when a connection was
 * left open.
 */
export function useDatabase(): TestDatabase {
  const name = `task_run_state_test_${process.env.TEST_RUN}_${randomUUID().slice(0, 8)}`;
  const serverUrl = process.env.DATABASE_URL ?? "";
  const url = new URL(serverUrl);
  url.pathname = name;
  const dataSources: DataSource[] = [];

  beforeAll(() => runOnServer(serverUrl, `CREATE DATABASE ${name}`));
  afterAll(async () => {
    await Promise.all(dataSources.map((dataSource) => dataSource.isInitialized && dataSource.destroy()));
    await runOnServer(serverUrl, `DROP DATABASE ${name}`);
  });

  return {
    url: url.href,
    async connect(options = {}) {
      const statements: string[] = [];
      const dataSource = new DataSource({
        type: "postgres",
        url: url.href,
        entities: [TaskRunState],
        migrations,
        migrationsRun: true,
        logger: new StatementLog(statements),
        ...options,
        extra: { ...clientOptions, ...options.extra },
      });
      dataSources.push(dataSource);
      await dataSource.initialize();
      statements.length = 0;
      return Object.assign(dataSource, { statements });
    },
  };
}

/** Does the work, and returns its result with what the data source sent to the database meanwhile. */
export async function statementsOf<T>(
  { statements }: TestDataSource,
  work: () => Promise<T>,
): Promise<{ result: T; statements: string[] }> {
  const before = statements.length;
  const result = await work();
  return { result, statements: statements.slice(before) };
}

/** The connections that are in use and the callers that wait for one: nothing may be left of either. */
export function connectionsInUse(dataSource: DataSource): { inUse: number; waiting: number } {
  const { totalCount, idleCount, waitingCount } = poolOf(dataSource);
  return { inUse: totalCount - idleCount, waiting: waitingCount };
}

export function poolOf(dataSource: DataSource): Pool {
  return (dataSource.driver as unknown as { master: Pool }).master;
}

export async function runOnServer(url: string, sql: string): Promise<void> {
  const client = new Client(url);
  await client.connect();
  try {
    await client.query(sql);
  } finally {
    await client.end();
  }
}

/** Creates a database and names it in DATABASE_URL, for the processes that run next. */
export async function useNewDatabase(serverUrl: string, name: string): Promise<void> {
  await runOnServer(serverUrl, `CREATE DATABASE "${name}"`);
  process.env.DATABASE_URL = new URL(name, serverUrl).href;
}

class StatementLog implements Logger {
  constructor(private readonly statements: string[]) {}

  logQuery(sql: string): void {
    this.statements.push(sql);
  }
  logQueryError(): void {}
  logQuerySlow(): void {}
  logSchemaBuild(): void {}
  logMigration(): void {}
  log(): void {}
}
