import { readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";

/** Each folder stands on those after it: it may name them, and nothing of those before it. */
const order = ["test", "bench", "examples", "ormconfig.ts", "scripts", "src"];

const root = join(__dirname, "..");
const readJson = (path: string) => JSON.parse(readFileSync(join(root, path), "utf8"));
const above = (folder: string) => order.slice(0, order.indexOf(folder));

test("TypeScript checks these folders and no other", () => {
  const checked = [...readJson("tsconfig.json").include, "bench"]; // The benchmark has a configuration of its own.
  expect(checked.sort()).toEqual([...order].sort());
});

test.each(order.slice(1))("no import and no other path of %s leads to a folder above", (folder) => {
  const leads = filesIn(join(root, folder)).flatMap((file) =>
    pathsIn(file)
      .filter((path) => above(folder).includes(path.split("/")[0] ?? ""))
      .map((path) => `${relative(root, file)}: ${path}`),
  );
  expect(leads).toEqual([]);
});

function filesIn(path: string): string[] {
  if (!statSync(path).isDirectory()) return /\.[cm]?[jt]s$/.test(path) ? [path] : [];
  const names = readdirSync(path).filter((name) => name !== "node_modules");
  return names.flatMap((name) => filesIn(join(path, name)));
}

/** The paths in the strings of a file, from the root: those that climb out of its folder, and those that name one. */
function pathsIn(file: string): string[] {
  const code = readFileSync(file, "utf8").replace(/^\s*(\/\/|\/?\*).*$/gm, "");
  const strings = [...code.matchAll(/["'`]([\w@.-]+(\/[^"'`]*)?)["'`]/g)].map(([, string = ""]) => string);
  return strings.map((string) =>
    string.startsWith(".") ? relative(root, join(file, "..", string)) : string,
  );
}

test("only the scripts that test name a file of test", () => {
  const scripts = Object.entries<string>(readJson("package.json").scripts);
  const others = scripts.filter(([name]) => !/^(test|soak)\b/.test(name));
  expect(others.map(([name]) => name)).toEqual(expect.arrayContaining(["start", "bench", "db", "typeorm"]));
  expect(others.filter(([, command]) => /\btest\//.test(command))).toEqual([]);
});
