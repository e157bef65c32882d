import { cpSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";

/** Programs that use the module on another driver than `pg`. */
const programs = [
  { name: "@neondatabase/serverless", folder: "neon" },
  { name: "PGlite", folder: "pglite" },
];

/** Runs each program on both majors of TypeORM. */
export async function useOnDrivers(folder: string, serverUrl: string): Promise<void> {
  for (const { name, folder: program } of programs) {
    const host = join(folder, program);
    cpSync(join(__dirname, program), host, { recursive: true });
    cpSync(join(__dirname, "use-module.cjs"), join(host, "use-module.cjs"));
    for (const typeorm of ["0.3.31", "1.1.1"]) {
      await useNewDatabase(serverUrl, `${name}, ${typeorm}`);
      await check(`${name} with TypeORM ${typeorm}`, () => {
        install(host, `typeorm@${typeorm}`);
        npm(host, "exec", "--", "node", "main.mjs");
      });
    }
  }
}
