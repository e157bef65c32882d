#!/bin/sh
# nestjs-paginate 15.0.1, with PaginationType.CURSOR on a timestamptz, never comes to the last page: links.next leads to the
# last row again and again, although each row has a second of its own. It happens where a time has 500 microseconds or more
# beyond its millisecond, in ascending order. The cursor in the link is the time of a JavaScript Date, which cuts the
# microseconds off. The condition compares it with what PostgreSQL makes of the column by a cast to bigint, which rounds. So
# the row that the cursor was made of counts as one after it. The same rows at whole milliseconds come to an end.
# Versions: nestjs-paginate 15.0.1, TypeORM 1.1.1, pg 8.23.1, PostgreSQL 18.4. Seen on 2026-11-28.
# Needs DATABASE_URL, or starts a PostgreSQL of its own.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund nestjs-paginate@15.0.1 typeorm@1.1.1 pg@8.23.1 reflect-metadata@0.2.2 \
  rxjs@7.8.2 @nestjs/common@11.2.10 @nestjs/core@11.2.10 @nestjs/platform-express@11.2.10 @nestjs/swagger@11.4.0 \
  express@5.3.0 embedded-postgres@18.4.0-beta.17
cat >finding.js <<'PROGRAM'
import "reflect-metadata";
import { deepEqual } from "node:assert/strict";
import { createServer } from "node:net";
import EmbeddedPostgres from "embedded-postgres";
import paginatePackage from "nestjs-paginate";
import { DataSource, EntitySchema } from "typeorm";

const { paginate, PaginationType } = paginatePackage;

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

const Event = new EntitySchema({
  name: "finding_event",
  columns: { id: { type: "int", primary: true }, at: { type: "timestamptz" } },
});
const dataSource = await new DataSource({ type: "postgres", url, entities: [Event] }).initialize();

/** The ids on each page of two, as links.next leads from one to the next, and on no more than six pages. */
async function pages(fraction) {
  await dataSource.query("DROP TABLE IF EXISTS finding_event");
  await dataSource.query("CREATE TABLE finding_event (id int PRIMARY KEY, at timestamptz NOT NULL)");
  for (const id of [1, 2, 3]) {
    await dataSource.query("INSERT INTO finding_event VALUES ($1, $2)", [id, `2026-01-01T00:00:0${id}.${fraction}Z`]);
  }
  const pages = [];
  let cursor;
  do {
    const query = { path: "http://host/events", ...(cursor && { cursor }) };
    const { data, links } = await paginate(query, dataSource.getRepository(Event), {
      paginationType: PaginationType.CURSOR,
      sortableColumns: ["at"],
      defaultSortBy: [["at", "ASC"]],
      defaultLimit: 2,
    });
    pages.push(data.map(({ id }) => id));
    cursor = links.next && new URL(links.next).searchParams.get("cursor");
  } while (cursor && pages.length < 6);
  return pages;
}

try {
  const whole = await pages("198");
  const more = await pages("198700");
  console.log("at whole milliseconds:      ", JSON.stringify(whole));
  console.log("700 microseconds after them:", JSON.stringify(more));
  deepEqual(whole.flat(), [1, 2, 3]);
  deepEqual(more, [[1, 2], [2, 3], [3], [3], [3], [3]]);
} finally {
  await dataSource.query("DROP TABLE IF EXISTS finding_event");
  await dataSource.destroy();
  await server?.stop();
}
PROGRAM
node finding.js
