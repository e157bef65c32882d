import { pack, temporaryFolder } from "../../../scripts/npm";
import { startPostgres } from "../../../scripts/postgres";
import { runDocumentedHosts } from "./documented-hosts";
import { useBesideNeighbours } from "./neighbours";
import { followReadme } from "./readme";
import { useWithTools } from "./tools";
import { compileUsage } from "./types";

/** Uses the packed package as hosts do: in two minutes what fits into them, and with `--all` in every way. */
async function main(): Promise<void> {
  const all = process.argv.includes("--all");
  const folder = temporaryFolder();
  const tarball = pack(folder);
  const server = await startPostgres();
  await useWithTools(folder, server.url);
  await followReadme(folder, tarball, server.url);
  await compileUsage(folder, tarball, all);
  await runDocumentedHosts(folder, tarball, server.url, all);
  await useBesideNeighbours(folder, tarball, server.url, all);
  await server.stop();
}

main();
