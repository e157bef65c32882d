import { readFileSync } from "node:fs";

const manifest = JSON.parse(readFileSync("package.json", "utf8"));
const missing = ["repository", "homepage", "bugs"].filter((field) => !manifest[field]);
if (missing.length > 0) {
  const fields = new Intl.ListFormat("en-GB").format(missing);
  console.error(`Before the package can be published, its owner must set ${fields} in package.json.`);
  process.exitCode = 1;
}
