import { pack, temporaryFolder } from "../../../scripts/npm";
import { startPostgres } from "../../../scripts/postgres";
import { useCompiled } from "./compiled";
import { useOnDrivers } from "./drivers";
import { useWithLibpq } from "./libpq";
import { nodes } from "./node-versions";
import { useFromSource } from "./runtimes";
import { runSuites } from "./suites";

/**
 * Uses the packed package on other runtimes and drivers, and then runs the tests on other versions of what they need:
 * with `--quick` on those that catch most. Where DATABASE_URL names a server, it runs the tests there, and nothing else.
 */
async function main(): Promise<void> {
  const quick = process.argv.includes("--quick");
  const folder = temporaryFolder();
  if (!process.env.DATABASE_URL) {
    const tarball = pack(folder);
    const server = await startPostgres();
    await useCompiled(folder, server.url, quick ? [nodes.floor, nodes.newest] : Object.values(nodes));
    await useFromSource(folder, server.url, quick);
    await useWithLibpq(folder, server.url, tarball);
    if (!quick) await useOnDrivers(folder, server.url);
    await server.stop();
    delete process.env.DATABASE_URL;
  }
  await runSuites(folder, quick);
}

main();
