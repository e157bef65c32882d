import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { readPage, root } from "./support/documents";

/** The declarations of what `index.d.ts` exports, as TypeScript writes them, each on one line and without comments. */
function exportedDeclarations(): string[] {
  const folder = mkdtempSync(join(tmpdir(), "task-run-state-api-"));
  try {
    const options = ["-p", "tsconfig.build.json", "--emitDeclarationOnly", "--outDir", folder];
    execFileSync(join(root, "node_modules/.bin/tsc"), options, { cwd: root });
    const index = readFileSync(join(folder, "index.d.ts"), "utf8");
    return [...index.matchAll(/^export (?:type )?\{ (.*) \} from "(.*)";$/gm)].flatMap(
      ([, names = "", path = ""]) => {
        const declared = declarations(readFileSync(join(folder, `${path}.d.ts`), "utf8"));
        const exported = names.split(", ").map((name) => name.replace("type ", ""));
        return declared.filter((declaration) => exported.includes(nameOf(declaration)));
      },
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

function declarations(code: string): string[] {
  const statements = code
    .replace(/\/\*\*.*?\*\/|^export \{\};/gms, "")
    .split(/^(?:export )?(?:declare )?(?=(?:function|class|interface|const|type) )/m);
  return statements.map((text) => text.replace(/\s+/g, " ").replace("( ", "(").trim()).filter(Boolean);
}

const nameOf = (declaration: string) => /^\w+ (\w+)/.exec(declaration)?.[1] ?? "";

test("docs/api.md declares everything that the package exports, as TypeScript does, and nothing else", () => {
  const blocks = readPage("docs/api.md").blocks.filter(({ kind }) => kind === "ts declared");
  const documented = blocks.flatMap(({ code }) => declarations(code));
  const exported = exportedDeclarations();
  expect(exported.length).toBeGreaterThan(15);
  expect(documented.sort()).toEqual(exported.sort());
});
