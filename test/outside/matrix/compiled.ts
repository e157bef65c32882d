import { join } from "node:path";
import { check } from "../../../scripts/check";
import { npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";
import { copyHost, installHost } from "../consumers/install-host";
import { onNode } from "./node-versions";

/** Runs the host, compiled once to each kind of module, on these versions of Node.js. */
export async function useCompiled(folder: string, serverUrl: string, versions: string[]): Promise<void> {
  const installed = installHost(folder);
  const hosts = (["commonjs", "module"] as const).map((type) => {
    const host = join(folder, type);
    copyHost(installed, host, type);
    npm(host, "run", "build");
    return host;
  });
  for (const version of new Set(versions)) {
    await useNewDatabase(serverUrl, `node-${version}`);
    await check(`CommonJS and ES module on Node.js ${version}`, () =>
      onNode(version, folder, () => {
        for (const host of hosts) npm(host, "start");
      }),
    );
  }
}
