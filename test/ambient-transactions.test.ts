import { join } from "node:path";

import { useDatabase } from "./support/database";
import { run } from "./support/run";

/** Each in a process of its own, since these libraries patch TypeORM. */
describe.each([
  ["typeorm-transactional", ["AUTO"]],
  ["typeorm-transactional", ["CLS_HOOKED"]],
  ["nestjs-cls", []],
])("in a transaction that %s opens %p", (library, args) => {
  const database = useDatabase();

  test("the module records, reads, lists, deletes and prunes inside, as support/ambient/take-part.ts asserts", async () => {
    const script = join(__dirname, "support", "ambient", `${library}.ts`);
    const command = ["--import", "tsx", script, ...args];
    const { code, output } = await run(process.execPath, command, { env: { DATABASE_URL: database.url } })
      .ended;
    expect({ code, failure: code === 0 ? "" : output }).toEqual({ code: 0, failure: "" });
  });
});
