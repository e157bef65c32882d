import { createHash, randomUUID } from "node:crypto";
import { setImmediate } from "node:timers/promises";
import { Client, Query, type QueryResult } from "pg";
import type { DataSource, EntityManager, QueryRunner } from "typeorm";
import type { AfterQueryEvent } from "typeorm/subscriber/event/QueryEvent";
import {
  readLatestTaskRunStates,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
  withPreparedStatements,
} from "typeorm-task-run-state";

import { connectionsInUse, type TestDatabase, type TestDataSource, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { record } from "./support/record";

const database = useDatabase();
const service = new TaskRunStateService();

type Options = Parameters<TestDatabase["connect"]>[0];

/** A host that asked for prepared statements, with one connection unless told otherwise. */
function connect(options: Options = {}, max = 1): Promise<TestDataSource> {
  return database.connect({ ...options, extra: { max, Client: withPreparedStatements(Client) } });
}

async function callEachMethod(manager: EntityManager): Promise<void> {
  const { id, taskRunId } = await record(manager);
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "COMPLETED" }]);
  expect((await readLatestTaskRunStates(manager, [taskRunId])).get(taskRunId)).toEqual(last);
  expect((await service.readTaskRunState(manager, id))?.id).toBe(id);
  const listed = await service.readTaskRunStates(manager, taskRunId);
  expect(listed.map((state) => state.id)).toEqual([id, last?.id]);
  expect(await service.deleteTaskRunState(manager, id)).toBe(true);
  expect(await service.readTaskRunState(manager, id)).toBeNull();
}

interface Prepared {
  name: string;
  statement: string;
  runs: number;
}

/** What is prepared on the connection, each with how often PostgreSQL ran it. */
function preparedOn(connection: Pick<DataSource, "query">): Promise<Prepared[]> {
  return connection.query(
    `SELECT name, statement, (generic_plans + custom_plans)::int AS runs
       FROM pg_prepared_statements ORDER BY prepare_time`,
  );
}

const hashOf = (text: string) => createHash("sha256").update(text).digest("hex").slice(0, 32);

/** What is prepared in the place of what is sent otherwise. */
const toPrepare = (sql: string) =>
  sql.replace(' "type",', ' "type"::text,').replace(/VALUES \((.*)\) RETURNING/, "SELECT $1 RETURNING");

test("each method's statement is prepared once for a connection, and no statement of another text is", async () => {
  const dataSource = await connect();
  const { manager } = dataSource;
  expect(await preparedOn(dataSource)).toEqual([]);
  await callEachMethod(manager);
  await callEachMethod(manager);
  await manager.find(TaskRunState, { where: { taskRunId: randomUUID() } });
  await manager.delete(TaskRunState, { taskRunId: randomUUID() });
  await dataSource.query("SELECT $1::int", [1]);

  dataSource.statements.length = 0;
  await callEachMethod(manager);
  const own = dataSource.statements.slice(0, 6);
  const prepared = await preparedOn(dataSource);
  expect(prepared.map(({ statement }) => statement)).toEqual(own.map(toPrepare));
  expect(own[0]).toMatch(/VALUES .* "type", /); // The shortest to plan, where nothing is prepared.
  expect(prepared.map(({ runs }) => runs)).toEqual([3, 3, 3, 6, 3, 3]);
});

test("nothing is prepared unless the host asks for it", async () => {
  const dataSource = await database.connect({ extra: { max: 1, Client } });
  await callEachMethod(dataSource.manager);
  expect(await preparedOn(dataSource)).toEqual([]);
});

test("inside a transaction, the statements of its connection are used", async () => {
  const dataSource = await connect();
  await dataSource.transaction(callEachMethod);
  await dataSource.transaction(callEachMethod);
  expect((await preparedOn(dataSource)).map(({ runs }) => runs)).toEqual([2, 2, 2, 4, 2, 2]);
});

test("a statement is named by its text: the same in each data source, another in each schema, in at most 63 bytes", async () => {
  const [host, another] = [await connect(), await connect()];
  await host.query("CREATE SCHEMA app");
  const elsewhere = await connect({ schema: "app" });
  const names = await Promise.all(
    [host, another, elsewhere].map(async (dataSource) => {
      await callEachMethod(dataSource.manager);
      const prepared = await preparedOn(dataSource);
      for (const { name, statement } of prepared) expect(name.endsWith(hashOf(statement))).toBe(true);
      return prepared.map(({ name }) => name);
    }),
  );
  expect(names[1]).toEqual(names[0]);
  expect(new Set(names.flat()).size).toBe(12);
  const operations = ["insert", "insert_many", "latest", "read", "list", "delete"];
  const pattern = (operation: string) => expect.stringMatching(`^task_run_state_${operation}_[0-9a-f]{32}$`);
  for (const ofOne of names) expect(ofOne).toEqual(operations.map(pattern));
});

test("a transaction that sets its search_path records, reads, lists and deletes there, though the enum is another type", async () => {
  const tenants = ["tenant_a", "tenant_b"];
  const migrating = await database.connect({ migrationsRun: false });
  for (const schema of tenants) {
    await migrating.query(`CREATE SCHEMA ${schema}`);
    await database.connect({ schema });
  }
  const host = await connect({ migrationsRun: false });
  for (let round = 0; round < 8; round++) {
    for (const schema of tenants) {
      await host.transaction(async (manager) => {
        await manager.query(`SET LOCAL search_path = ${schema}`);
        await callEachMethod(manager);
      });
    }
  }
  expect(await preparedOn(host)).toHaveLength(6);
});

test("subscribers of afterQuery see this module's rows by position while they run, and a host that sends the same SQL gets objects", async () => {
  const host = await connect();
  const seen: unknown[] = [];
  const kept: unknown[] = [];
  const afterQuery = ({ rawResults }: AfterQueryEvent) => {
    seen.push([...rawResults.rows]);
    kept.push(rawResults.rows);
  };
  host.subscribers.push({ afterQuery });
  const { id } = await record(host.manager);
  host.statements.length = 0;
  await service.readTaskRunState(host.manager, id);
  expect(seen.at(-1)).toEqual([expect.arrayContaining([id, "RUNNING"])]);
  expect(kept.at(-1)).toEqual([]);
  expect(await host.query(String(host.statements[0]), [id])).toEqual([
    expect.objectContaining({ id, type: "RUNNING" }),
  ]);
  expect(await preparedOn(host)).toMatchObject([{ runs: 1 }, { runs: 2 }]);
});

describe("a Client class of a host's own", () => {
  let client: Client;

  beforeAll(async () => {
    class OwnClient extends withPreparedStatements(Client) {
      readonly own = true;
    }
    client = new OwnClient({ connectionString: database.url, application_name: "own" });
    expect(client).toBeInstanceOf(Client);
    expect(client).toHaveProperty("own", true);
    await client.connect();
  });
  afterAll(() => client.end());

  test("sends all else as it sent it before", async () => {
    expect((await client.query("SHOW application_name")).rows).toEqual([{ application_name: "own" }]);
    expect((await client.query("SELECT $1::int AS one", [1])).rows).toEqual([{ one: 1 }]);
    expect((await client.query({ text: "SELECT $1::int", rowMode: "array" }, [2])).rows).toEqual([[2]]);
    const answered = await new Promise<QueryResult>((resolve, reject) =>
      client.query("SELECT $1::int AS three", [3], (error, result) =>
        error ? reject(error) : resolve(result),
      ),
    );
    expect(answered.rows).toEqual([{ three: 3 }]);
    const submitted = client.query(new Query("SELECT 4 AS four"));
    const row = await new Promise((resolve, reject) => submitted.on("row", resolve).on("error", reject));
    expect(row).toEqual({ four: 4 });
    const failing = async () => client.query("SELECT 1 / $1::int", [0]);
    const error = (await failureOf(failing())) as Error;
    expect(error).toHaveProperty("code", "22012");
    expect(error.stack).toContain(__filename); // It leads to the caller, not to the socket.
    const { rows } = await client.query("SELECT FROM pg_prepared_statements");
    expect(rows).toEqual([]);
  });

  test("prepares what the host names", async () => {
    await client.query({ name: "the host's", text: "SELECT $1::int", values: [1] });
    const { rows } = await client.query("SELECT name FROM pg_prepared_statements");
    expect(rows).toEqual([{ name: "the host's" }]);
  });
});

test("with `replication`, each connection prepares what is sent to it", async () => {
  const primary = await database.connect();
  const { id } = await record(primary.manager);
  const host = await connect({
    replication: { master: { url: database.url }, slaves: [{ url: database.url }] },
  });
  expect((await service.readTaskRunState(host.manager, id))?.id).toBe(id);
  expect(await service.deleteTaskRunState(host.manager, id)).toBe(true);
  const verbsOn = async (mode: "master" | "slave") => {
    const queryRunner = host.createQueryRunner(mode);
    const prepared = await preparedOn(queryRunner);
    await queryRunner.release();
    return prepared.map(({ statement }) => statement.split(" ")[0]);
  };
  expect(await verbsOn("slave")).toEqual(["SELECT"]);
  expect(await verbsOn("master")).toEqual(["DELETE"]);
});

/** How each refusal comes about on a connection. */
const refusals: [string, string, (connection: QueryRunner, host: DataSource) => Promise<void>][] = [
  [
    "26000",
    "DISCARD ALL",
    async (connection) => {
      await callEachMethod(connection.manager);
      await connection.query("DISCARD ALL");
    },
  ],
  [
    "26000",
    "DEALLOCATE ALL",
    async (connection) => {
      await callEachMethod(connection.manager);
      await connection.query("DEALLOCATE ALL");
    },
  ],
  [
    "42P05",
    "its name was taken, as by another client of a pooler,",
    async (connection, host) => {
      await callEachMethod(host.manager);
      for (const { name } of await preparedOn(host)) await connection.query(`PREPARE "${name}" AS SELECT 1`);
    },
  ],
  [
    "0A000",
    "a column got another type",
    async (connection) => {
      await callEachMethod(connection.manager);
      const length = Math.floor(1000 + Math.random() * 1_000_000);
      await connection.query(`ALTER TABLE task_run_state ALTER COLUMN message TYPE varchar(${length})`);
    },
  ],
];

describe.each(refusals)(
  "where PostgreSQL refuses a prepared statement with %s, since %s",
  (code, _, cause) => {
    let host: TestDataSource;
    let connection: QueryRunner;

    beforeEach(async () => {
      host = await connect({}, 2);
      connection = host.createQueryRunner();
      await connection.connect();
      await cause(connection, host);
    });

    afterEach(async () => {
      await connection.release();
      expect(connectionsInUse(host)).toEqual({ inUse: 0, waiting: 0 });
    });

    test("each call is answered, and this connection goes on without, while others prepare", async () => {
      const before = await preparedOn(connection);
      await callEachMethod(connection.manager);
      await callEachMethod(connection.manager);
      expect(await preparedOn(connection)).toEqual(before);

      await callEachMethod(host.manager);
      expect((await preparedOn(host)).filter(({ runs }) => runs > 0)).toHaveLength(6);
    });

    test("a transaction fails with that code, and the next one is answered", async () => {
      const { id } = await record(host.manager);
      await connection.startTransaction();
      const error = await failureOf(service.readTaskRunState(connection.manager, id));
      expect(error).toMatchObject({ name: "QueryFailedError", driverError: { code } });
      await connection.rollbackTransaction();

      await connection.startTransaction();
      expect((await service.readTaskRunState(connection.manager, id))?.id).toBe(id);
      expect(await service.deleteTaskRunState(connection.manager, id)).toBe(true);
      await connection.commitTransaction();
      expect(await service.readTaskRunState(host.manager, id)).toBeNull();
    });
  },
);

test("a delete that is refused in a transaction is not sent again behind the transaction's rollback", async () => {
  const host = await connect();
  await callEachMethod(host.manager);
  const { id } = await record(host.manager);
  await host.query("DEALLOCATE ALL");
  const failing = host.transaction((manager) =>
    Promise.all([service.deleteTaskRunState(manager, id), Promise.reject(new RangeError("meanwhile"))]),
  );
  await expect(failing).rejects.toThrow("meanwhile");
  expect((await service.readTaskRunState(host.manager, id))?.id).toBe(id);
});

test("in a pipeline, deletes that are refused in a transaction are not sent again behind its rollback", async () => {
  const host = await database.connect({
    extra: { max: 1, pipeline: true, Client: withPreparedStatements(Client) },
  });
  await callEachMethod(host.manager);
  for (let round = 0; round < 10; round++) {
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await record(host.manager)).id);
    await callEachMethod(host.manager);
    await host.query("DISCARD ALL");
    const failing = host.transaction((manager) =>
      Promise.all(ids.map((id) => service.deleteTaskRunState(manager, id))),
    );
    await failureOf(failing);
    for (const id of ids) expect((await service.readTaskRunState(host.manager, id))?.id).toBe(id);
    await host.destroy();
    await host.initialize();
  }
});

test.each<[string, begin: (connection: QueryRunner) => Promise<unknown>]>([
  ["", (connection) => connection.startTransaction()],
  [
    ", by a callback,",
    async (connection) => {
      const client: Client = await connection.connect();
      await setImmediate(); // The delete has been sent.
      await new Promise((resolve) => client.query("BEGIN", resolve));
    },
  ],
])(
  "a delete that is refused just before a transaction begins%s is not sent again inside of it",
  async (_, begin) => {
    const host = await connect();
    const connection = host.createQueryRunner();
    await callEachMethod(connection.manager);
    const { id } = await record(connection.manager);
    await connection.query("DEALLOCATE ALL");
    const [deletion] = await Promise.allSettled([
      service.deleteTaskRunState(connection.manager, id),
      begin(connection),
    ]);
    await connection.query("ROLLBACK");
    const state = await service.readTaskRunState(connection.manager, id);
    await connection.release();
    expect(deletion).toMatchObject({ status: "rejected", reason: { driverError: { code: "26000" } } });
    expect(state?.id).toBe(id);
  },
);

test("a refusal is known by `sqlState` too, as pg.native calls its code in a pipeline", async () => {
  class SqlStateClient extends Client {
    override query(...args: unknown[]): never {
      const callback = args.pop() as (error: unknown, result?: unknown) => void;
      const rename = (error: { code?: string } | null, result: unknown) =>
        callback(error && Object.assign(error, { sqlState: error.code, code: undefined }), result);
      return super.query(...([...args, rename] as unknown as [string])) as never;
    }
  }
  const host = await database.connect({ extra: { max: 1, Client: withPreparedStatements(SqlStateClient) } });
  await callEachMethod(host.manager);
  await host.query("DEALLOCATE ALL");
  await callEachMethod(host.manager);
});

describe("a host's Client class whose query", () => {
  test("answers by a promise alone is used by that promise", async () => {
    class PromisingClient extends Client {
      override async query(...args: unknown[]): Promise<never> {
        const [query, values] = args as [string, unknown[]];
        if (typeof values === "function") return super.query(query, values) as never; // as TypeORM 0.3 connects
        return (await super.query(query, values)) as never;
      }
    }
    const host = await database.connect({
      extra: { max: 1, Client: withPreparedStatements(PromisingClient) },
    });
    await callEachMethod(host.manager);
    await host.query("DEALLOCATE ALL");
    await callEachMethod(host.manager);
    await expect(host.query("SELECT 1 / $1::int", [0])).rejects.toMatchObject({
      driverError: { code: "22012" },
    });
  });

  test("is asynchronous and passes the callback on is answered through it", async () => {
    class AsynchronousClient extends Client {
      override async query(...args: unknown[]): Promise<never> {
        return super.query(...(args as [string])) as never;
      }
    }
    const host = await database.connect({
      extra: { max: 1, Client: withPreparedStatements(AsynchronousClient) },
    });
    await callEachMethod(host.manager);
  });
});

test("its promises are of the class that a host chose; JavaScript's own with a pg that lets nobody choose", async () => {
  class OwnPromise<T> extends Promise<T> {}
  const client = new (withPreparedStatements(Client))(database.url);
  await client.connect();
  const ofPg: unknown = Reflect.get(client, "_Promise");
  Object.assign(client, { _Promise: OwnPromise });
  expect(client.query("SELECT 1")).toBeInstanceOf(OwnPromise);
  Object.assign(client, { _Promise: undefined });
  expect((await client.query("SELECT 1 AS one")).rows).toEqual([{ one: 1 }]);
  Object.assign(client, { _Promise: ofPg });
  await client.end();
});

test("with a pg that does not tell whether there is a transaction, a refused call fails once", async () => {
  const OlderClient = class extends withPreparedStatements(Client) {};
  Object.assign(OlderClient.prototype, { getTransactionStatus: undefined });
  const host = await database.connect({ extra: { max: 1, Client: OlderClient } });
  await callEachMethod(host.manager);
  await host.query("DEALLOCATE ALL");
  const error = await failureOf(service.readTaskRunState(host.manager, randomUUID()));
  expect(error).toMatchObject({ driverError: { code: "26000" } });
  await callEachMethod(host.manager);
});

test("a call with a callback is sent as it is", async () => {
  const values: unknown[][] = [];
  class RecordingClient extends Client {
    override query(...args: unknown[]): never {
      if (Array.isArray(args[1])) values.push(args[1]);
      return super.query(...(args as [string])) as never;
    }
  }
  const host = await database.connect({ extra: { max: 1, Client: RecordingClient } });
  const { id } = await record(host.manager);
  await service.readTaskRunState(host.manager, id);
  const client = new (withPreparedStatements(Client))(database.url);
  await client.connect();
  const { rows } = await new Promise<QueryResult>((resolve, reject) =>
    client.query("SELECT $1::text AS id", values.at(-1) as unknown[], (error, result) =>
      error ? reject(error) : resolve(result),
    ),
  );
  await client.end();
  expect(rows).toEqual([{ id }]);
});

test("a call that fails when it is sent again fails with that error", async () => {
  const host = await connect();
  await callEachMethod(host.manager);
  await host.query("DEALLOCATE ALL; ALTER TABLE task_run_state RENAME TO elsewhere");
  const error = await failureOf(service.readTaskRunState(host.manager, randomUUID()));
  await host.query("ALTER TABLE elsewhere RENAME TO task_run_state");
  expect(error).toMatchObject({ driverError: { code: "42P01" } });
});

test("what PostgreSQL refuses for another reason fails as it does without, and the connection goes on preparing", async () => {
  const host = await connect();
  await callEachMethod(host.manager);
  const { id } = await record(host.manager);
  const aborted = host.transaction(async (manager) => {
    await failureOf(manager.query("SELECT 1 / 0"));
    await service.readTaskRunState(manager, id);
  });
  await expect(aborted).rejects.toMatchObject({ driverError: { code: "25P02" } });
  const reads = async () => (await preparedOn(host)).find(({ name }) => name.includes("_read_"))?.runs;
  const before = await reads();
  await service.readTaskRunState(host.manager, id);
  expect(await reads()).toBe(Number(before) + 1);

  await host.query("ALTER TABLE task_run_state RENAME TO elsewhere");
  const missing = await failureOf(service.readTaskRunState(host.manager, id));
  await host.query("ALTER TABLE elsewhere RENAME TO task_run_state");
  expect(missing).toMatchObject({ driverError: { code: "42P01" } });
});
