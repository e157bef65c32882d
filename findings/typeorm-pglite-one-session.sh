#!/bin/sh
# Each `new PGliteDriver()` of typeorm-pglite leads to the same PGlite: one database and one session for the whole process.
# Two query runners that both begin a transaction are in one: the rollback of the second undoes the first, whose commit then
# succeeds and keeps nothing. `destroy` of one data source ends the database of all; the others go on without an error, on a
# new and empty one. So tests that run side by side in a process, each with a data source of its own, delete one another's rows.
# Versions: typeorm-pglite 0.3.4, @electric-sql/pglite 0.5.17, TypeORM 1.1.1 and 0.3.31. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
cat >finding.js <<'PROGRAM'
import { deepEqual } from "node:assert/strict";
import { DataSource } from "typeorm";
import { PGliteDriver } from "typeorm-pglite";

const connect = () => new DataSource({ type: "postgres", driver: new PGliteDriver().driver }).initialize();
const numbers = async (runner) => (await runner.query("SELECT n FROM numbers ORDER BY n")).map(({ n }) => n);
const seen = {};

const one = await connect();
await one.query("CREATE TABLE numbers (n int)");
const [first, second] = [one.createQueryRunner(), one.createQueryRunner()];
await first.startTransaction();
await first.query("INSERT INTO numbers VALUES (1)");
await second.startTransaction();
seen["the second transaction sees, before the first has committed"] = await numbers(second);
await second.rollbackTransaction();
await first.commitTransaction();
seen["after the rollback of the second and the commit of the first"] = await numbers(one);

await one.query("INSERT INTO numbers VALUES (2)");
const two = await connect();
seen["another data source sees"] = await numbers(two);
await two.destroy();
seen["the first, after the other's end"] = await one.query("SELECT to_regclass('numbers') AS found");
await one.destroy();
console.log(seen);
deepEqual(Object.values(seen), [[1], [], [2], [{ found: null }]]);
PROGRAM
for typeorm in 1.1.1 0.3.31; do
  npm install --silent --no-audit --no-fund "typeorm@$typeorm" reflect-metadata@0.2.2 typeorm-pglite@0.3.4 \
    @electric-sql/pglite@0.5.17
  echo "TypeORM $typeorm"
  node finding.js
done
