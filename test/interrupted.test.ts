import { randomUUID } from "node:crypto";

import { useDatabase } from "./support/database";
import { run } from "./support/run";
import { until } from "./support/until";

const database = useDatabase();

test("npm test on the user's own server leaves no database behind on Ctrl-C", async () => {
  const dataSource = await database.connect({ migrationsRun: false });
  const TEST_RUN = randomUUID().slice(0, 8);
  const databases = async (): Promise<number> => {
    const sql = "SELECT count(*)::int FROM pg_database WHERE datname LIKE $1";
    const [{ count }] = await dataSource.query(sql, [`task_run_state_test_${TEST_RUN}_%`]);
    return count;
  };
  const tests = run("npm", ["test", "--silent", "--", "load", "model"], {
    env: { TEST_RUN },
    detached: true,
  });
  await until(async () => (await databases()) > 0);
  tests.signal("SIGINT");
  expect(await tests.ended).not.toMatchObject({ code: 0 });
  expect(await databases()).toBe(0);
}, 60_000);
