import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import type { Report } from "./support/ambient/scenarios";
import { useDatabase } from "./support/database";

/** What a library's script reports of each manager that a host can hold. It runs alone, since the libraries patch TypeORM. */
async function reportsOf(library: string, url: string, ...args: string[]): Promise<Record<string, Report>> {
  const script = join(__dirname, "support", "ambient", `${library}.ts`);
  const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script, ...args], {
    cwd: join(__dirname, ".."),
    env: { ...process.env, DATABASE_URL: url },
  });
  return JSON.parse(stdout);
}

const deletion = { deleted: true, inside: "unseen", outside: "seen" };
const ofItsOwn = {
  outerSeenInside: "unseen",
  ownSeenInside: "seen",
  deleted: true,
  ownAfterwards: "seen",
  deletedAfterwards: "unseen",
};
const savepoint = {
  outerSeenInside: "seen",
  ownSeenInside: "seen",
  deleted: true,
  ownAfterwards: "unseen",
  deletedAfterwards: "seen",
};
const undone = { deleted: true, afterInner: "seen", afterwards: "seen" };

const insideTheTransaction = {
  ownWrite: { inside: "seen", outside: "unseen", afterwards: "unseen" },
  recording: { inside: "seen", outside: "unseen", afterwards: "unseen" },
  rollback: { ...deletion, afterwards: "seen" },
  commit: { ...deletion, afterwards: "unseen" },
  requiresNew: ofItsOwn,
  requiresNewRolledBack: undone,
  nestedRolledBack: undone,
  notSupported: ofItsOwn,
  fourAtOnce: Array(4).fill({
    sights: ["own seen", "unseen", "unseen", "unseen"],
    shared: "seen",
    deletedOwn: true,
  }),
  explicitManager: {
    ambient: "unseen",
    own: "seen",
    ownFromAmbient: "unseen",
    ambientDeleted: false,
    ownDeleted: true,
  },
  pruning: { pruned: true, inside: "unseen", outside: "seen", afterwards: "seen" },
  connections: { inUse: 0, waiting: 0 },
};

describe.each(["AUTO", "ASYNC_LOCAL_STORAGE", "CLS_HOOKED"])(
  "in a transaction that typeorm-transactional opens, with its storage driver %s",
  (storageDriver) => {
    const database = useDatabase();

    test("the module records, reads, lists, deletes and prunes inside, whatever manager it is given", async () => {
      // There NESTED is a transaction of its own.
      const expected = { ...insideTheTransaction, nested: ofItsOwn };
      expect(await reportsOf("typeorm-transactional", database.url, storageDriver)).toEqual({
        injected: expected,
        "the repository's": expected,
        "the data source's": expected,
      });
    });
  },
);

describe("in a transaction that nestjs-cls opens", () => {
  const database = useDatabase();

  test("the module records, reads, lists, deletes and prunes inside through what the library injects", async () => {
    const expected = { ...insideTheTransaction, nested: savepoint };
    const reports = await reportsOf("nestjs-cls", database.url);
    expect(reports).toMatchObject({ "txHost.tx": expected, proxy: expected });
    // NestJS's own manager knows nothing of the library, neither in `find` nor in the service.
    expect(reports.injected).toMatchObject({
      ownWrite: { inside: "unseen" },
      recording: { inside: "seen", outside: "seen", afterwards: "seen" },
      rollback: { deleted: true, inside: "unseen", outside: "unseen", afterwards: "unseen" },
      connections: { inUse: 0, waiting: 0 },
    });
  });
});
