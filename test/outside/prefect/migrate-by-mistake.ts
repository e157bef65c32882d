import { deepEqual, equal, match } from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { join } from "node:path";

import { createDataSource } from "../../../examples/prefect/data-source";
import { readLines } from "../../support/catalog";

/** Runs `migration:run` on a database of Prefect's: it must refuse, and change nothing. */
export async function migrateByMistake(databaseUrl: string): Promise<string> {
  const dataSource = await createDataSource(databaseUrl).initialize();
  try {
    const before = await readLines(dataSource.manager);
    const { status, stderr, error } = migrate(databaseUrl);
    if (error) throw error;
    equal(status, 1);
    const errors = stderr.match(/^\w+Error: .*$/gm) ?? [];
    match(errors.join("\n"), /^TypeORMError: The table public\.task_run_state exists already, so .*$/);
    match(stderr, /^- Prefect: leave this package's migrations out of the data source\./m);

    // TypeORM makes a table for itself before it runs a migration, and PostgreSQL its sequence and its key.
    const isOfMigrations = (line: string) => /\bmigrations(_id_seq)?\b|"PK_\w+"/.test(line);
    const after = await readLines(dataSource.manager);
    deepEqual(
      after.filter((line) => !before.includes(line) && !isOfMigrations(line)),
      [],
    );
    deepEqual(
      before.filter((line) => !after.includes(line)),
      [],
    );
    deepEqual(await dataSource.query("SELECT * FROM migrations"), []);
    return `refused with "${errors[0]}"; ${before.length} lines of the catalog as before, and an empty table migrations`;
  } finally {
    await dataSource.destroy();
  }
}

function migrate(databaseUrl: string) {
  const cli = [
    "node_modules/typeorm/cli.js",
    "migration:run",
    "-d",
    join(__dirname, "mistaken-data-source.ts"),
  ];
  return spawnSync(process.execPath, ["--import", "tsx", ...cli], {
    encoding: "utf8",
    env: { ...process.env, DATABASE_URL: databaseUrl },
  });
}
