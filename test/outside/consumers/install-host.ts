import { cpSync, linkSync, lstatSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { install } from "../../../scripts/npm";

/** What the package.json of a host says of its modules. */
export type ModuleType = "commonjs" | "module";

/** Installs the host beside the packed package, with nothing that runs tests or bundles. Returns its folder. */
export function installHost(folder: string): string {
  const host = join(folder, "host");
  cpSync(join(__dirname, "host"), host, { recursive: true });
  install(host, "--ignore-scripts");
  return host;
}

/**
 * Copies an installed host and sets its module type. Links the installed packages, as pnpm does: copies of TypeORM would
 * fill half a gigabyte, and take as long as the checks.
 */
export function copyHost(installed: string, host: string, type: ModuleType): void {
  const filter = (source: string, target: string) => {
    const links = source.includes("node_modules") && lstatSync(source).isFile();
    if (links) linkSync(source, target);
    return !links;
  };
  cpSync(installed, host, { recursive: true, verbatimSymlinks: true, filter });
  const manifest = join(host, "package.json");
  writeFileSync(manifest, JSON.stringify({ ...JSON.parse(readFileSync(manifest, "utf8")), type }));
}
