#!/bin/sh
# typeorm-transactional 0.5.0 works with its default storage driver on Node.js, and refuses the first transaction on Bun
# 1.4.5 and Deno 2.9.6: "No context available. ns.run() or ns.bind() must be called first." The default is cls-hooked, whose
# context follows the hook `init` of async_hooks. For a timer and two promises, Node.js 20.20 called it 7 times, Deno twice
# and Bun never. With StorageDriver.ASYNC_LOCAL_STORAGE all three work, and AUTO picks that one.
# Versions: typeorm-transactional 0.5.0, TypeORM 1.1.1, sql.js 1.13.0. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module", "allowScripts": { "bun": true, "deno": true } }' >package.json
npm install --silent --no-audit --no-fund typeorm-transactional@0.5.0 typeorm@1.1.1 reflect-metadata@0.2.2 sql.js@1.13.0 \
  bun@1.4.5 deno@2.9.6
cat >finding.mjs <<'PROGRAM'
import { DataSource } from "typeorm";
import {
  addTransactionalDataSource,
  initializeTransactionalContext,
  runInTransaction,
  StorageDriver,
} from "typeorm-transactional";

const driver = process.argv[2];
initializeTransactionalContext(driver === "default" ? undefined : { storageDriver: StorageDriver[driver] });
const dataSource = addTransactionalDataSource(new DataSource({ type: "sqljs" }));
await dataSource.initialize();
const answer = runInTransaction(() => dataSource.query("SELECT 7 AS seven"));
console.log(await answer.then(([{ seven }]) => `answered ${seven}`, (error) => error.message));
await dataSource.destroy();
PROGRAM
says() {
  expected=$1
  shift
  seen=$("$@" 2>&1 | tail -n 1)
  echo "$*: $seen"
  [ "$seen" = "$expected" ]
}
refusal="No context available. ns.run() or ns.bind() must be called first."
bin=node_modules/.bin
says "answered 7" node finding.mjs default
says "$refusal" $bin/bun finding.mjs default
says "$refusal" $bin/deno run --allow-env --allow-read finding.mjs default
for driver in ASYNC_LOCAL_STORAGE AUTO; do
  says "answered 7" node finding.mjs $driver
  says "answered 7" $bin/bun finding.mjs $driver
  says "answered 7" $bin/deno run --allow-env --allow-read finding.mjs $driver
done
