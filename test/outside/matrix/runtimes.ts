import { equal, match } from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { check } from "../../../scripts/check";
import { install, npm } from "../../../scripts/npm";
import { useNewDatabase } from "../../support/database";
import { type Block, readPage, root } from "../../support/documents";
import { nodes, onNode } from "./node-versions";

interface Runtime {
  name: string;
  /** The version of Node.js that it, or what starts it, runs on. */
  node: string;
  /** Runs a program of TypeScript from its source. */
  command: string[];
  /** The same for one with decorators. */
  decorated: string[];
}

const { devDependencies: versions } = JSON.parse(
  readFileSync(join(__dirname, "source/package.json"), "utf8"),
);
const bun = ["bun", "--bun"];
/** What a program that connects to a database needs to be allowed, and no more. */
const deno = ["deno", "run", "--allow-net=127.0.0.1", "--allow-env", "--allow-read=."];
const tsx = ["node", "--import", "tsx"];

const others: Runtime[] = [
  { name: `Bun ${versions.bun}`, node: process.versions.node, command: bun, decorated: bun },
  { name: `Deno ${versions.deno}`, node: process.versions.node, command: deno, decorated: deno },
];
/** From 22.18 on, Node.js itself runs TypeScript, but for decorators. */
const lines: Runtime[] = [...new Set(Object.values(nodes))].map((node) => {
  const command = node === nodes.floor ? tsx : ["node"];
  return { name: `Node.js ${node}`, node, command, decorated: tsx };
});

/** Runs what the pages show, from TypeScript source, on Bun and Deno; unless `quick`, on each line of Node.js too. */
export async function useFromSource(folder: string, serverUrl: string, quick: boolean): Promise<void> {
  const host = join(folder, "source");
  cpSync(join(__dirname, "source"), host, { recursive: true });
  install(host);
  cpSync(join(root, "examples/express/data-source.ts"), join(host, "data-source.ts"));
  const readme = programOf("README.md", "recordTaskRunState");
  const transactional = programOf("docs/hosts.md", "typeorm-transactional");
  writeFileSync(join(host, "history.mts"), readme.program);
  writeFileSync(join(host, "transactional.mts"), transactional.program);

  for (const { name, node, command, decorated } of quick ? others : [...others, ...lines]) {
    const run = ([program = "", ...options]: string[], ...args: string[]) =>
      npm(host, "exec", "--", program, ...options, ...args);
    const typeorm = (...args: string[]) =>
      run(command, "node_modules/typeorm/cli.js", ...args, "-d", "data-source.ts");
    await useNewDatabase(serverUrl, name);
    await check(`From source on ${name}`, () =>
      onNode(node, folder, () => {
        equal(quoted(run(command, "history.mts")), readme.output);
        match(typeorm("migration:revert"), /CreateTaskRunState\d+ has been reverted successfully/);
        match(typeorm("migration:run"), /CreateTaskRunState\d+ has been executed successfully/);
        run(command, "main.mts");
        equal(run(decorated, "transactional.mts"), transactional.output);
      }),
    );
  }
}

/** Bun and Deno print strings in double quotes. */
const quoted = (output: string) => output.replaceAll('"', "'");

/** A whole program of a page, known by a word in it, with the output that the page shows. */
function programOf(page: string, word: string): { program: string; output: string } {
  const { blocks } = readPage(page);
  const index = blocks.findIndex(({ kind, code }) => kind === "ts run" && code.includes(word));
  const [program, output] = blocks.slice(index, index + 2) as [Block, Block];
  equal(output.kind, "text output");
  return { program: program.code, output: output.code };
}
