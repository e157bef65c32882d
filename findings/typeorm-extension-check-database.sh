#!/bin/sh
# `checkDatabase` of typeorm-extension 4.2.0 has an option `dataSource`, "use predefined data-source for checks" in its types,
# and does not read it. Given an initialized data source alone, it looks for a data source in the files of the working folder,
# and then raises OptionsError: "The database options could not be located/loaded." Where it does find one, it checks that
# one's database instead. With `options` it works.
# Versions: typeorm-extension 4.2.0, TypeORM 1.1.1, sql.js 1.13.0. Seen on 2026-11-28.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund typeorm-extension@4.2.0 typeorm@1.1.1 sql.js@1.13.0 reflect-metadata@0.2.2
cat >finding.js <<'PROGRAM'
import "reflect-metadata";
import { deepEqual } from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { DataSource, EntitySchema } from "typeorm";
import { checkDatabase } from "typeorm-extension";

const Row = new EntitySchema({ name: "row", columns: { id: { type: "int", primary: true } } });
const dataSource = await new DataSource({ type: "sqljs", entities: [Row], synchronize: true }).initialize();
const outcome = (context) =>
  checkDatabase(context).then(({ exists, schema }) => `exists ${exists}, schema ${schema}`, ({ message }) => message);

const outcomes = {};
outcomes["dataSource alone"] = await outcome({ dataSource });
outcomes["options, which makes another in memory"] = await outcome({ options: { type: "sqljs", entities: [Row] } });
writeFileSync(
  "data-source.js",
  'import { DataSource } from "typeorm"; export const other = new DataSource({ type: "sqljs", entities: [] });',
);
outcomes["dataSource, beside a file with another that has no entity"] = await outcome({ dataSource });
console.log(outcomes);
deepEqual(Object.values(outcomes), ["The database options could not be located/loaded.", "exists true, schema false", "exists true, schema true"]);
PROGRAM
node finding.js
