import { equal } from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";

import { check } from "../../dev/check";
import { install, npm } from "../../dev/npm";
import { useNewDatabase } from "../support/database";
import { readPage } from "../support/documents";

/** Does what the README tells a newcomer to do, with the packed package and nothing else of this repository. */
export async function followReadme(folder: string, tarball: string, serverUrl: string): Promise<void> {
  const { text, blocks } = readPage("README.md");
  const [, packages = ""] = /^npm install (.+?) +# Otherwise/m.exec(text) ?? [];
  const program = blocks.find(({ kind }) => kind === "ts run");
  const output = blocks.find(({ kind }) => kind === "text output");

  const host = join(folder, "readme");
  await useNewDatabase(serverUrl, "readme");
  await check("README", () => {
    mkdirSync(host);
    install(host, ...packages.split(" ").map((name) => (name === "typeorm-task-run-state" ? tarball : name)));
    writeFileSync(join(host, "history.mts"), program?.code ?? "");
    equal(npm(host, "exec", "--", "tsx", "history.mts"), output?.code);
  });
}
