import { cpSync } from "node:fs";
import { join } from "node:path";

import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";

/** Counts the spans that pg's instrumentation makes of the three methods. */
export async function traceCalls(folder: string, tarball: string, serverUrl: string): Promise<void> {
  const host = join(folder, "opentelemetry");
  await useNewDatabase(serverUrl, "opentelemetry");
  await check("OpenTelemetry", () => {
    cpSync(join(__dirname, "opentelemetry.cjs"), join(host, "main.cjs"));
    const parts = [
      "api@1.9.1",
      "instrumentation@0.218.0",
      "instrumentation-pg@0.70.0",
      "sdk-trace-node@2.12.0",
    ];
    install(host, tarball, "typeorm@1.1.1", "pg@8.23.1", ...parts.map((part) => `@opentelemetry/${part}`));
    npm(host, "exec", "--", "node", "main.cjs");
  });
}
