#!/bin/sh
# @opentelemetry/instrumentation-pg 0.77.0 says that it takes any @opentelemetry/api from 1.3.0 on, and needs 1.10: its
# constructor reads `logs`, which 1.10 has added. Beside @opentelemetry/sdk-trace-node 2.12.1, the newest of its name, which
# takes only APIs before 1.10, npm installs 1.9.1 without a word. Then `new PgInstrumentation()` raises a TypeError that names
# neither package. Instrumentation-pg 0.74.0 works with the same two. To use 0.77.0, take API 1.10 with @opentelemetry/sdk-trace
# 3, the new name of the SDK, which no longer has a NodeTracerProvider.
# Versions: as above. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/finding.js" <<'PROGRAM'
const { readFileSync } = require("node:fs");
const { PgInstrumentation } = require("@opentelemetry/instrumentation-pg");
const { version } = JSON.parse(readFileSync("node_modules/@opentelemetry/api/package.json", "utf8"));

let outcome = "works";
try {
  new PgInstrumentation();
} catch (error) {
  outcome = `${error.name}: ${error.message}`;
}
console.log(`${process.argv[2]} with API ${version}: ${outcome}`);
const expected = process.argv[2] === "0.77.0" ? /^TypeError: .*getLogger/ : /^works$/;
process.exitCode = version === "1.9.1" && expected.test(outcome) ? 0 : 1;
PROGRAM
for pg in 0.77.0 0.74.0; do
  mkdir "$folder/$pg"
  cd "$folder/$pg"
  echo '{ "private": true }' >package.json
  npm install --silent --no-audit --no-fund "@opentelemetry/instrumentation-pg@$pg" \
    @opentelemetry/sdk-trace-node@2.12.1 @opentelemetry/api
  cp ../finding.js .
  node finding.js "$pg"
done
