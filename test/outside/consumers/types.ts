import { cpSync } from "node:fs";
import { join } from "node:path";

import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";

/** Both majors of TypeORM, the older one at its floor. */
const typeorms = ["0.3.20", "1.1.1"];

/** With the options that not every version takes: pg's own types are not those of an old compiler. */
const compilers = [
  { typescript: "5.0", options: ["--skipLibCheck"] },
  { typescript: "5.9", options: ["--erasableSyntaxOnly"], slow: true },
  { typescript: "7.0", options: ["--erasableSyntaxOnly"] },
];

/** Compiles what hosts write, below the folder of the tools. */
export async function compileUsage(folder: string, tarball: string, all: boolean): Promise<void> {
  for (const typeorm of typeorms) {
    const host = join(folder, `types-typeorm-${typeorm}`);
    cpSync(join(__dirname, "types"), host, { recursive: true });
    install(host, "--ignore-scripts", tarball, `typeorm@${typeorm}`, "pg@8.23.1", "@types/pg@8.23.1");
    for (const { typescript, options, slow } of compilers) {
      if (slow && !all) continue;
      await check(`types: TypeScript ${typescript} with TypeORM ${typeorm}`, () => {
        npm(host, "exec", "--", "node", `../node_modules/typescript-${typescript}/bin/tsc`, ...options);
      });
    }
  }
}
