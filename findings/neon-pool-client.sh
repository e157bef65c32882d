#!/bin/sh
# The Pool of @neondatabase/serverless takes the option Client, which its types declare as node-postgres does, and does not use
# it: every connection is made by Neon's own Client. So a class that a library or a host puts there, to trace queries or to
# prepare them, is left out without a word. Its constructor lets pg-pool read the option, and then sets the property `Client`
# itself. A subclass that sets the property once more is heeded. The Pool of pg uses the option.
# Versions: @neondatabase/serverless 1.2.0, pg 8.23.1. Seen on 2026-11-28. It opens no connection.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"
echo '{ "private": true, "type": "module" }' >package.json
npm install --silent --no-audit --no-fund @neondatabase/serverless@1.2.0 pg@8.23.1
cat >finding.js <<'PROGRAM'
import { equal } from "node:assert/strict";
import * as neon from "@neondatabase/serverless";
import pg from "pg";

/** Whether a pool makes its connections with the class: it fails before it connects, with an error of its own. */
async function uses(Pool, Base) {
  class Traced extends Base {
    connect(callback) {
      const error = new Error("traced");
      if (!callback) return Promise.reject(error);
      callback(error);
    }
  }
  const pool = new Pool({ connectionString: "postgres://user:password@host.invalid/database", Client: Traced });
  pool.on("error", () => {});
  return pool.connect().then(() => "connected", ({ message }) => message);
}

neon.neonConfig.webSocketConstructor = class {
  addEventListener(type, listener) {
    if (type === "error") setTimeout(() => listener(new Error("not traced")));
  }
  close() {}
};
class Heeding extends neon.Pool {
  constructor({ Client, ...options }) {
    super(options);
    this.Client = Client;
  }
}
const seen = {
  "pg, option Client": await uses(pg.Pool, pg.Client),
  "Neon, option Client": await uses(neon.Pool, neon.Client),
  "Neon, property Client": await uses(Heeding, neon.Client),
};
console.log(seen);
equal(seen["pg, option Client"], "traced");
equal(seen["Neon, option Client"], "not traced");
equal(seen["Neon, property Client"], "traced");
PROGRAM
node finding.js
