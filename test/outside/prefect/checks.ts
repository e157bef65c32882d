import { deepEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createDataSource } from "../../../examples/prefect/data-source";
import { check } from "../../../scripts/check";
import { PREFECT_VERSIONS, type PrefectEnvironment } from "../../../scripts/prefect/environment";
import { startPrefect } from "../../../scripts/prefect/server";
import { readLines } from "../../support/catalog";
import { runOnServer } from "../../support/database";
import { askOverHttp } from "./ask-over-http";
import type { ByFunctions } from "./by-functions";
import { deleteBesideRetention } from "./delete-beside-retention";
import { startHost, useExample } from "./example";
import { followPage } from "./follow-page";
import { keepResults } from "./keep-results";
import { listObservedStates } from "./list-observed-states";
import { type Live, python, startWorker } from "./live";
import { migrateByMistake } from "./migrate-by-mistake";
import { assertOnPage, type Outcome } from "./outcome";
import { useOwnTransaction } from "./own-transaction";
import { readStates } from "./read-states";
import { recordBesideRecorder } from "./record-beside-recorder";
import { recordStates } from "./record-states";
import { setAndDelete } from "./set-and-delete";

/**
 * Checks the packed package against a Prefect at work: `checks.ts ENVIRONMENT`, in a host's folder, with DATABASE_URL naming
 * an empty database. It ends, and Prefect with it, when its parent does.
 */
async function main({ version, major, pythonVersion, bin }: PrefectEnvironment): Promise<void> {
  const endWithParent = () => process.exit(1);
  process.once("disconnect", endWithParent);
  const { DATABASE_URL: url = "" } = process.env;

  const prefect = await startPrefect(bin, url);
  const dataSource = await createDataSource(url).initialize();
  const host = await startHost(url);
  const [{ server_version: postgresVersion }] = await dataSource.query("SHOW server_version");
  console.log(`\nPrefect ${version}, Python ${pythonVersion}, PostgreSQL ${postgresVersion}`);
  const isNewest = version === PREFECT_VERSIONS[0];
  const live: Live = {
    major,
    isNewest,
    prefect,
    worker: startWorker(prefect),
    dataSource,
    hostUrl: host.url,
  };
  const catalog = await readLines(dataSource.manager);

  await check("Prefect records states of every kind", () => recordStates(live));
  const original = await python<ByFunctions>(live, "functions");
  await check("Each state and each list is read as Prefect reads it", () => readStates(live, original));
  await check("The host answers as Prefect's server", () => askOverHttp(live, original));
  await check("What Prefect sets is read, and deleted for Prefect too", () => setAndDelete(live, original));
  await check("A host's own transactions work on Prefect's table", () => useOwnTransaction(live));
  await check("Results are where docs/prefect.md says, and go as it says", () => keepResults(live));
  await check("Prefect lists the names of states as this table has them", () => listObservedStates(live));
  if (major > 2) {
    await check("A host records beside Prefect's recorder", () => recordBesideRecorder(live));
    await check("A host deletes beside Prefect's retention", () => deleteBesideRetention(live));
  } else {
    console.log(
      `-       Prefect ${version} has neither a recorder nor a retention to record and delete beside`,
    );
  }
  await check("The example draws histories, and says what is wrong", () => useExample(live));
  await check("Prefect's schema is as it was", async () => {
    deepEqual(await readLines(dataSource.manager), catalog);
    return `${catalog.length} lines of the catalog compared`;
  });
  await host.stop();
  await dataSource.destroy();
  prefect.stop();

  await check("docs/prefect.md does what it says", async () => followPage(await copyDatabase(url, "page")));
  await check("A migration by mistake is refused", async () =>
    migrateByMistake(await copyDatabase(url, "mistake")),
  );

  const outcome: Outcome = {
    version,
    pythonVersion,
    postgresVersion,
    states: Object.keys(original.states).length,
    taskRuns: Object.keys(original.lists).length,
    differences: process.exitCode ? "see above" : 0,
  };
  await check("docs/prefect.md has this outcome in its table", async () => {
    assertOnPage(readFileSync("docs/prefect.md", "utf8"), outcome);
    return `${outcome.states} states of ${outcome.taskRuns} task runs`;
  });
  process.off("disconnect", endWithParent);
  process.send?.(outcome, () => process.disconnect());
}

/** The copy is made when PostgreSQL has ended the connections to the original. */
async function copyDatabase(url: string, name: string): Promise<string> {
  const original = decodeURIComponent(new URL(url).pathname.slice(1));
  const copy = `${original}-${name}`;
  const server = new URL("postgres", url).href;
  await runOnServer(server, `CREATE DATABASE "${copy}" TEMPLATE "${original}"`);
  return new URL(copy, url).href;
}

main(JSON.parse(process.argv[2] ?? "")).catch((error) => {
  console.error(error);
  process.exit(1);
});
