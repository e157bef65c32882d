import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import markdownIt from "markdown-it";

export const root = join(__dirname, "../..");

export interface Block {
  page: string;
  /** Where its first line of code stands in the page. */
  line: number;
  /** The language and the tag, such as `ts run`. */
  kind: string;
  /** The hosts that `host=` names. */
  hosts: string[];
  /** What follows the tag: the name of a file; or the path that `source=` names. */
  argument: string | undefined;
  code: string;
}

export interface Page {
  path: string;
  text: string;
  blocks: Block[];
  /** Where its links and pictures lead, from the root of the package, with `#` and the heading if they name one. */
  links: string[];
  /** Its headings, as GitHub spells them in a link. */
  anchors: string[];
}

/** The paths of all pages. */
export function pageFiles(): string[] {
  const inFolder = (folder: string) =>
    readdirSync(join(root, folder))
      .filter((name) => name.endsWith(".md"))
      .map((name) => join(folder, name));
  return [...inFolder("."), ...inFolder("docs")];
}

/** The paths in the package as npm would publish it. */
export function packedFiles(): string[] {
  const command = ["pack", "--dry-run", "--json", "--ignore-scripts"];
  const [{ files }] = JSON.parse(
    execFileSync("npm", command, { cwd: root, encoding: "utf8", stdio: "pipe" }),
  );
  return files.map(({ path }: { path: string }) => path);
}

export function readPage(path: string): Page {
  const text = readFileSync(join(root, path), "utf8");
  const page: Page = { path, text, blocks: [], links: [], anchors: [] };
  const tokens = markdownIt().parse(text, {});
  for (const [index, { type, info, map, content }] of tokens.entries()) {
    if (type === "fence" || type === "code_block") {
      const line = (map?.[0] ?? 0) + (type === "fence" ? 2 : 1);
      page.blocks.push({ page: path, line, ...parseInfo(info), code: content });
    }
    if (type === "heading_open") page.anchors.push(anchorOf(tokens[index + 1]?.content ?? ""));
  }
  const inline = tokens.flatMap(({ children }) => children ?? []);
  const targets = inline.map((token) => token.attrGet("href") ?? token.attrGet("src"));
  page.links = targets.filter(isRelative).map((target) => fromRoot(path, target));
  return page;
}

function parseInfo(info: string): Pick<Block, "kind" | "hosts" | "argument"> {
  const [language = "", tag = "", argument] = info.trim().split(/\s+/);
  const [name, value] = tag.split("=");
  const kind = `${language} ${name}`;
  if (name === "host") return { kind, hosts: value?.split(",") ?? [], argument };
  return { kind, hosts: [], argument: value ?? argument };
}

function isRelative(target: string | number | null): target is string {
  return typeof target === "string" && !/^[a-z]+:/.test(target);
}

function fromRoot(page: string, target: string): string {
  const [path, anchor] = decodeURI(target).split("#");
  const file = path ? join(dirname(page), path) : page;
  return anchor === undefined ? file : `${file}#${anchor}`;
}

function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\p{L}\p{N}_ -]/gu, "")
    .replaceAll(" ", "-");
}
