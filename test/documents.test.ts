import { execFile, spawnSync } from "node:child_process";
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { promisify } from "node:util";

import examples from "../examples/package.json";
import { scripts } from "../package.json";
import { documentedHosts } from "./outside/consumers/documented-hosts";
import { type TestDataSource, useDatabase } from "./support/database";
import { type Block, packedFiles, pageFiles, readPage, root } from "./support/documents";
import { failureOf } from "./support/failure-of";

/**
 * How a code block in a document is tagged: the first line of its fence names the language and then one of these tags.
 *
 * - `ts run`, or `ts run <file>`: a whole program. It is compiled, and runs in a new database that DATABASE_URL names
 *   and where the table exists, unless the program mentions `migrations`. It must exit with 0. Of a named file the page
 *   must also say how to run it.
 * - `text output`: what the program above it prints. UUIDs and times that the program does not name itself may differ.
 * - `ts compile`: a fragment. It is compiled, and may use the names of support/document-prelude.ts.
 * - `ts declared`: what the package exports. `api.test.ts` compares it with the types.
 * - `sql run`: runs after those above it on the page, in a database of the page's own where the table exists.
 * - `source=<path>`, in any language: stands in that file in one piece, indentation aside.
 * - `json compile`: is JSON.
 * - `host=<host>,<host> <file>`, in any language: a file of these hosts, which `npm run test:hosts` compiles and runs.
 * - `mermaid recorded`: the ways of the recorded history, which names.test.ts compares.
 * - `mermaid drawn`: a picture that no test reads.
 * - `sh commands`: does not run. As everywhere in the documents, each npm script and npx command that it names exists.
 */
const KINDS = [
  "ts run",
  "text output",
  "ts compile",
  "ts declared",
  "sql run",
  "json compile",
  "mermaid recorded",
  "mermaid drawn",
  "sh commands",
];

const packed = packedFiles();
const pages = pageFiles().map(readPage);
const blocks = pages.flatMap((page) => page.blocks);
const programs = blocksOf("ts run");

function blocksOf(kind: string): Block[] {
  return blocks.filter((block) => block.kind === kind);
}

/** The output that the page shows for a program: the next block, or the next but commands. */
function outputOf(program: Block): Block | undefined {
  const later = blocks.slice(blocks.indexOf(program) + 1).filter(({ page }) => page === program.page);
  const next = later.find(({ kind }) => kind !== "sh commands");
  return next?.kind === "text output" ? next : undefined;
}

const at = ({ page, line }: Block) => `${page}:${line}`;

test("every code block has a tag, and every output a program", () => {
  expect(pages.map(({ path }) => path)).toContain("README.md");
  expect(programs.length).toBeGreaterThan(0);
  const untagged = blocks.filter(({ kind }) => !KINDS.includes(kind) && !/ (source|host)$/.test(kind));
  expect(untagged.map(at)).toEqual([]);
  const outputs = programs.map(outputOf);
  const orphans = blocksOf("text output").filter((block) => !outputs.includes(block));
  expect(orphans.map(at)).toEqual([]);
});

describe("In a folder as a reader has it", () => {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-documents-"));
  const fileOf = (block: Block) => join(at(block).replace(":", "-"), block.argument ?? "block.mts");
  const files = [...programs, ...blocksOf("ts compile")];
  const prelude = join(__dirname, "support/document-prelude.ts");

  beforeAll(() => {
    symlinkSync(join(root, "node_modules"), join(folder, "node_modules"), "junction");
    for (const block of files) {
      const path = join(folder, fileOf(block));
      mkdirSync(dirname(path), { recursive: true });
      // A line has the number that it has in the page, which the compiler will name.
      writeFileSync(path, "\n".repeat(block.line - 1) + block.code);
    }
    // With these options tsx runs the programs, and finds the package.
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({ extends: join(root, "tsconfig.json"), include: [folder, join(root, "src")] }),
    );
  });
  afterAll(() => rmSync(folder, { recursive: true }));

  test("every block of TypeScript, and every file that one is a part of, compiles with the options of `tsc --init`", () => {
    const tsc = (...args: string[]) =>
      spawnSync(join(root, "node_modules/.bin/tsc"), args, { cwd: folder, encoding: "utf8" });
    mkdirSync(join(folder, "init"));
    spawnSync(join(root, "node_modules/.bin/tsc"), ["--init"], { cwd: join(folder, "init") });
    tsc(
      "--project",
      join(root, "tsconfig.build.json"),
      "--emitDeclarationOnly",
      "--outDir",
      join(folder, "package"),
    );
    const manifest = join(root, "examples/package.json"); // A reader's own says that the modules are ES modules.
    const filter = (path: string) => path !== manifest;
    cpSync(join(root, "examples"), join(folder, "examples"), { recursive: true, filter });
    writeFileSync(join(folder, "package.json"), JSON.stringify({ type: "module" }));
    writeFileSync(join(folder, "package/package.json"), JSON.stringify({ type: "commonjs" }));
    cpSync(prelude, join(folder, "prelude.ts"));
    const shown = blocksOf("ts source")
      .map(({ argument = "" }) => argument)
      .filter((path) => !/^examples\/(fastify|next)\//.test(path)); // test:hosts installs what these need, and compiles them.
    const config = {
      extends: "./init/tsconfig.json",
      compilerOptions: {
        types: ["node"],
        experimentalDecorators: true, // TypeORM's decorators are these.
        noEmit: true,
        paths: { "typeorm-task-run-state": ["./package/index.d.ts"] },
      },
      files: ["prelude.ts", ...files.map(fileOf), ...new Set(shown)],
    };
    writeFileSync(join(folder, "tsconfig.init.json"), JSON.stringify(config));
    const { stdout, status } = tsc("--project", "tsconfig.init.json");
    expect({ stdout, status }).toEqual({ stdout: "", status: 0 });
  });

  for (const program of programs) {
    describe(`the program of ${at(program)}`, () => {
      const database = useDatabase();

      test("runs, and prints what the page says", async () => {
        if (!program.code.includes("migrations")) await database.connect();
        const { stdout } = await promisify(execFile)(process.execPath, ["--import", "tsx", fileOf(program)], {
          cwd: folder,
          env: { ...process.env, DATABASE_URL: database.url, FORCE_COLOR: "0" }, // Jest in a terminal asks for colours.
          timeout: 60_000,
        });
        const output = outputOf(program);
        if (output) expect(comparable(stdout, program)).toBe(comparable(output.code, program));
      });
    });
  }
});

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/g;
const TIME = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z/g;

/** The output with a number for each UUID and a word for each time that the program does not name itself. */
function comparable(output: string, { code }: Block): string {
  const made: string[] = [];
  const numbered = (id: string) => {
    if (!made.includes(id)) made.push(id);
    return `<uuid ${made.indexOf(id) + 1}>`;
  };
  return output
    .trim()
    .replace(UUID, (id) => (code.includes(id) ? id : numbered(id)))
    .replace(TIME, (time) => (code.includes(time) ? time : "<time>"));
}

for (const { path, blocks } of pages) {
  const queries = blocks.filter(({ kind }) => kind === "sql run");
  if (queries.length === 0) continue;

  describe(`In one database, the SQL of ${path}`, () => {
    const database = useDatabase();
    let dataSource: TestDataSource;
    beforeAll(async () => {
      dataSource = await database.connect();
    });

    test.each(queries)("runs: line $line", async ({ code }) => {
      expect(await failureOf(dataSource.query(code))).toBeUndefined();
    });
  });
}

for (const block of blocks.filter(({ kind }) => kind.endsWith(" source"))) {
  test(`${at(block)} is a part of ${block.argument}`, () => {
    const unindented = (code: string) => code.replace(/^ +/gm, "");
    const file = readFileSync(join(root, block.argument ?? ""), "utf8");
    expect(unindented(file)).toContain(unindented(block.code));
  });
}

for (const block of blocksOf("json compile")) {
  test(`${at(block)} is JSON`, () => {
    expect(JSON.parse(block.code)).toBeDefined();
  });
}

test("every file of a host has a name, and is one of a host that test:hosts runs", () => {
  const files = blocks.filter(({ kind }) => kind.endsWith(" host"));
  expect(files.filter(({ argument }) => !argument).map(at)).toEqual([]);
  const shown = new Set(files.flatMap(({ hosts }) => hosts));
  const run = new Set(documentedHosts.flatMap(({ tag }) => tag ?? []));
  expect([...shown].sort()).toEqual([...run].sort());
});

test("every command that the documents name exists, also that which runs a named program", () => {
  const namedIn = (command: RegExp) =>
    pages.flatMap(({ text }) => [...text.matchAll(command)].map(([, name = ""]) => name));

  const script = "npm run (?:--\\S+ )*([a-z]+(?:[:-][a-z]+)*)";
  const examplesNamed = namedIn(new RegExp(`${script} -w examples\\b`, "g"));
  const scriptsNamed = [
    ...namedIn(/\bnpm (start|test)\b/g),
    ...namedIn(new RegExp(`${script}(?![\\w:-]| -w examples)`, "g")),
  ];
  for (const named of [examplesNamed, scriptsNamed]) expect(named.length).toBeGreaterThan(4);
  expect(scriptsNamed.filter((name) => !(name in scripts))).toEqual([]);
  expect(examplesNamed.filter((name) => !(name in examples.scripts))).toEqual([]);

  const programsNamed = namedIn(/\bnpx ([\w-]+)/g);
  expect(programsNamed.length).toBeGreaterThan(0);
  expect(programsNamed.filter((name) => !existsSync(join(root, "node_modules/.bin", name)))).toEqual([]);

  for (const { page, argument } of programs.filter(({ argument }) => argument)) {
    expect(pages.find(({ path }) => path === page)?.text).toContain(`npx tsx ${argument}`);
  }
});

test("every link leads to a file and a heading that exist, and those of a packed page stay in the package", () => {
  const links = pages.flatMap(({ path, links }) => links.map((link) => ({ path, link })));
  expect(links.length).toBeGreaterThan(5);
  const leadsToNothing = ({ path, link }: { path: string; link: string }) => {
    const [file = "", anchor] = link.split("#");
    if (packed.includes(path) && !packed.includes(file)) return true;
    if (anchor !== undefined) return !pages.find(({ path }) => path === file)?.anchors.includes(anchor);
    return !existsSync(join(root, file));
  };
  expect(links.filter(leadsToNothing)).toEqual([]);
});

test("docs/README.md leads to every page", () => {
  const { links } = readPage("docs/README.md");
  const others = pages.map(({ path }) => path).filter((path) => path !== "docs/README.md");
  expect(links).toEqual(expect.arrayContaining(others));
});

test("the tests that the guarantees name exist", () => {
  const tables = pages.flatMap(({ text }) => [
    ...text.matchAll(/^\| promise \| test \|\n\| --- \| --- \|\n((\|.*\n)+)/gm),
  ]);
  const rows = tables.flatMap(([, rows = ""]) => rows.trim().split("\n"));
  const names = rows.flatMap((row) =>
    (row.split("|").at(-2) ?? "").split(",").map((name) => name.replaceAll("`", "").trim()),
  );
  expect(names.length).toBeGreaterThan(10);
  expect(names.filter((name) => !existsSync(join(__dirname, `${name}.test.ts`)))).toEqual([]);
});

test("the README takes at most 130 lines", () => {
  expect(readFileSync(join(root, "README.md"), "utf8").trimEnd().split("\n").length).toBeLessThanOrEqual(130);
});
