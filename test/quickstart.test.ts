import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { run } from "./support/run";

const database = useDatabase();

/** Whatever `npm start` could have touched: every relation and type, and the rows of the table of the same name. */
async function contentsOf(dataSource: TestDataSource): Promise<unknown> {
  return {
    relations: await dataSource.query(
      "SELECT oid, relname FROM pg_class WHERE relnamespace::regnamespace::text !~ '^pg_toast' ORDER BY oid",
    ),
    types: await dataSource.query("SELECT oid, typname FROM pg_type WHERE typtype = 'e' ORDER BY oid"),
    schemas: await dataSource.query("SELECT oid, nspname FROM pg_namespace ORDER BY oid"),
    states: await dataSource.query("SELECT * FROM task_run_state"),
    migrations: await dataSource.query("SELECT * FROM migrations"),
  };
}

test("npm start shows the recorded history on the user's own server, and leaves the database as it was", async () => {
  const dataSource = await database.connect();
  await record(dataSource.manager);
  const before = await contentsOf(dataSource);
  const { code, output } = await run("npm", ["start", "--silent"], { env: { DATABASE_URL: database.url } })
    .ended;
  expect(output).toContain("Recorded 281 states of 10 task runs in one transaction");
  expect(output).toMatch(/535c11a5 {2}243 {2}Pending > Running > AwaitingRetry > Running > \(237 more\)/);
  expect(output).toMatch(/\+17 ms {2}Running +35 ms +=========\n/);
  expect(output).toContain("COMPLETED at 2026-11-22T10:53:01.198Z: Finished in state Completed()");
  expect(output).toContain(
    "in a transaction: deleted true, still there for others true\n" +
      "rolled back: still there true\n" +
      "for good: deleted true, still there false",
  );
  expect(output).toContain("InvalidUuidError: taskRunStateId must be a UUID string");
  expect(code).toBe(0);
  expect(await contentsOf(dataSource)).toEqual(before);
});
