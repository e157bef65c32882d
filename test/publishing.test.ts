import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

import { scripts } from "../package.json";

const root = join(__dirname, "..");
const folder = mkdtempSync(join(tmpdir(), "task-run-state-publishing-"));
for (const part of ["scripts", "node_modules"]) symlinkSync(join(root, part), join(folder, part), "junction");
afterAll(() => rmSync(folder, { recursive: true }));

/** What npm runs before it publishes, in a folder whose package.json has these fields. */
function prepublishOnly(fields: object): { status: number | null; stderr: string } {
  writeFileSync(join(folder, "package.json"), JSON.stringify({ scripts, ...fields }));
  const command = ["run", "--silent", "prepublishOnly"];
  const { status, stderr } = spawnSync("npm", command, { cwd: folder, encoding: "utf8" });
  return { status, stderr };
}

test("publishing ends in one sentence while the owner's fields are missing, and goes on when they are set", () => {
  expect(prepublishOnly({})).toEqual({
    status: 1,
    stderr:
      "Before the package can be published, its owner must set repository, homepage and bugs in package.json.\n",
  });
  const [repository, homepage, bugs] = ["git+https://host/x.git", "https://host/x", "https://host/x/issues"];
  expect(prepublishOnly({ repository, homepage, bugs })).toEqual({ status: 0, stderr: "" });
});
