import { cpSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";

/** `pg.native` has to be compiled: where that cannot be done, one line says so. */
export async function useWithLibpq(folder: string, serverUrl: string, tarball: string): Promise<void> {
  const host = join(folder, "libpq");
  mkdirSync(host);
  for (const file of ["libpq.cjs", "use-module.cjs"]) cpSync(join(__dirname, file), join(host, file));
  try {
    install(host, tarball, "typeorm@1.1.1", "reflect-metadata", "pg@8.23.1", "pg-native@3.9.0");
    npm(host, "exec", "--", "node", "--eval", "require('pg-native')");
  } catch {
    console.log('did not run  pg.native: it needs a C++ compiler, Python and "apt-get install libpq-dev"');
    return;
  }
  await useNewDatabase(serverUrl, "libpq");
  await check("pg.native", () => {
    npm(host, "exec", "--", "node", "libpq.cjs");
  });
}
