import { cpSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";

/** Programs that use the module on another driver than `pg`: the folders beside this file. */
const programs = [
  { name: "@neondatabase/serverless", folder: "neon", packages: [] },
  ...["0.3.31", "1.1.1"].map((typeorm) => ({
    name: `PGlite with TypeORM ${typeorm}`,
    folder: "pglite",
    packages: [`typeorm@${typeorm}`],
  })),
];

export async function useOnDrivers(folder: string, serverUrl: string): Promise<void> {
  for (const { name, folder: program, packages } of programs) {
    const host = join(folder, program);
    cpSync(join(__dirname, program), host, { recursive: true });
    await useNewDatabase(serverUrl, name);
    await check(name, () => {
      install(host, ...packages);
      npm(host, "exec", "--", "node", "main.mjs");
    });
  }
}
