import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

import { HOW_TO_INSTALL_PGBOUNCER, pgBouncerVersion } from "../scripts/pgbouncer";
import type { Report } from "./support/behind-pgbouncer";
import { useDatabase } from "./support/database";

const database = useDatabase();
const isInstalled = pgBouncerVersion() !== undefined;
if (!isInstalled) process.stderr.write(`test/pgbouncer did not run: ${HOW_TO_INSTALL_PGBOUNCER}\n`);

(isInstalled ? test : test.skip)(
  "with prepared statements behind PgBouncer in transaction mode, each call is answered, and rightly; a transaction may fail with a refusal",
  async () => {
    await database.connect();
    const script = join(__dirname, "support", "behind-pgbouncer.ts");
    const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", script], {
      cwd: join(__dirname, ".."),
      env: { ...process.env, DATABASE_URL: database.url },
    });
    const { alone, transactions }: Report = JSON.parse(stdout);
    expect(alone).toEqual({ right: 320 });
    const { right = 0, ...refusals } = transactions;
    expect(right).toBeGreaterThan(160);
    // PgBouncer knows of prepared statements from 1.21 on, and then refuses none.
    for (const code of Object.keys(refusals)) expect(["26000", "42P05"]).toContain(code);
  },
);
