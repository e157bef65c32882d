import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";

import { useDatabase } from "./support/database";

const database = useDatabase();
const root = join(__dirname, "..");
const readme = readFileSync(join(root, "README.md"), "utf8");

function run(command: string, args: string[], env: Record<string, string> = {}): string {
  return execFileSync(command, args, {
    cwd: root,
    encoding: "utf8",
    stdio: "pipe",
    env: { ...process.env, FORCE_COLOR: "0", ...env }, // Jest in a terminal asks its children for colours.
  });
}

beforeAll(() => run("npm", ["run", "build"]));

test("the README's first program runs as it stands, and prints the state that it recorded", () => {
  const [, program = ""] = /```ts\n(.*?)```/s.exec(readme) ?? [];
  const output = run(process.execPath, ["--input-type=module", "-e", program], {
    DATABASE_URL: database.url,
  });
  expect(output).toMatch(/^\[\n {2}TaskRunState \{\n {4}id: '[0-9a-f-]{36}'/);
  expect(output).toContain("name: 'Running'");
});

test("the commands and links of README and CONTRIBUTING exist", () => {
  const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const texts = [readme, readFileSync(join(root, "CONTRIBUTING.md"), "utf8")];
  const commands = texts.flatMap((text) => [
    ...text.matchAll(/npm (?:run (?:--silent )?)?(start|test|(?<=run |--silent )\w[\w:-]*)/g),
  ]);
  expect(commands.length).toBeGreaterThan(5);
  for (const [, name = ""] of commands) expect(Object.keys(scripts)).toContain(name);

  const links = texts.flatMap((text) => [...text.matchAll(/\]\((?!http)([^)#]+)\)/g)]);
  expect(links.length).toBeGreaterThan(2);
  for (const [, path = ""] of links) expect(existsSync(join(root, path)) ? "" : path).toBe("");
});

test("the tests that the README's guarantees name exist", () => {
  const [, guarantees = ""] = /## Guarantees(.*?)## Speed/s.exec(readme) ?? [];
  const rows = [...guarantees.matchAll(/^\| .* \| (`.*`) \|$/gm)];
  const names = rows.flatMap(([, tests = ""]) => tests.split(", ").map((name) => name.replaceAll("`", "")));
  expect(names.length).toBeGreaterThan(10);
  for (const name of names) expect(existsSync(join(__dirname, `${name}.test.ts`)) ? "" : name).toBe("");
});

test("the tarball holds the build, its documents and nothing else", () => {
  const [{ files }] = JSON.parse(run("npm", ["pack", "--dry-run", "--json", "--ignore-scripts"]));
  const paths: string[] = files.map(({ path }: { path: string }) => path);
  expect(paths.filter((path) => !path.startsWith("dist/"))).toEqual([
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "package.json",
  ]);
  const modules = paths.filter((path) => path.endsWith(".js")).map((path) => path.slice(0, -".js".length));
  expect(modules).toContain("dist/index");
  const built = modules.flatMap((module) => [`${module}.d.ts`, `${module}.js`, `${module}.js.map`]);
  expect(paths.filter((path) => path.startsWith("dist/"))).toEqual(built);
});
