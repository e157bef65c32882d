import { DataSource } from "typeorm";

import { BY_ID, BY_TASK_RUN, SCHEMA_FOR_EACH_TENANT, SINGLE_SHARD } from "../../../bench/lib/citus-layouts";
import { cannotConnect } from "../../../scripts/cannot-connect";
import { checkLayout, checkRevertInOneStep, checkTenants } from "./checks";

/** Proves each layout on a Citus cluster, line by line: `npx tsx test/outside/citus/main.ts`. */
async function main(): Promise<void> {
  const coordinator = await connect();
  try {
    console.log(await describeCluster(coordinator));
    for (const layout of [BY_ID, SCHEMA_FOR_EACH_TENANT, SINGLE_SHARD, BY_TASK_RUN]) {
      await checkLayout(coordinator, layout);
    }
    for (const layout of [BY_ID, BY_TASK_RUN]) await checkRevertInOneStep(coordinator, layout);
    await checkTenants(coordinator);
  } finally {
    await coordinator.destroy();
  }
}

async function connect(): Promise<DataSource> {
  const { CITUS_URL: url } = process.env;
  if (!url) {
    throw new Error(
      "Set CITUS_URL to the coordinator of a Citus cluster, such as postgres://postgres@127.0.0.1:5432/postgres.",
    );
  }
  try {
    return await new DataSource({ type: "postgres", url }).initialize();
  } catch (error) {
    throw new Error(cannotConnect(error, "check CITUS_URL."));
  }
}

async function describeCluster(coordinator: DataSource): Promise<string> {
  const installed = await coordinator.query("SELECT FROM pg_extension WHERE extname = 'citus'");
  if (installed.length === 0) throw new Error("The database of CITUS_URL lacks the extension citus.");
  const [{ version, server, workers }] = await coordinator.query(
    `SELECT citus_version() AS version, current_setting('server_version') AS server,
       (SELECT count(*) FROM citus_get_active_worker_nodes()) AS workers`,
  );
  return `${/^Citus \S+/.exec(version)}, PostgreSQL ${server}, ${workers} workers, Node.js ${process.versions.node}`;
}

main().catch((error: Error) => {
  console.error(error.message);
  process.exitCode = 1;
});
