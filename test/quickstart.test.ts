import { TaskRunState } from "typeorm-task-run-state";

import { readLines } from "./support/catalog";
import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { run } from "./support/run";

const database = useDatabase();

/** What `npm start` could have touched: the database, and the rows of the table of the same name. */
async function contentsOf({ manager }: TestDataSource): Promise<unknown> {
  return { lines: await readLines(manager), states: await manager.find(TaskRunState) };
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
