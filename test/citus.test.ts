import { run } from "./support/run";

const LOOPBACK = "postgres://postgres@127.0.0.1:1/postgres";

test.each([
  ["no address", undefined, /^Set CITUS_URL to the coordinator of a Citus cluster, such as \S+\n$/],
  ["an address where nobody answers", LOOPBACK, /^Cannot connect to PostgreSQL \(.+\): check CITUS_URL\.\n$/],
  [
    "a server without Citus",
    process.env.DATABASE_URL,
    /^The database of CITUS_URL lacks the extension citus\.\n$/,
  ],
])("with %s, test:citus says in one sentence what it needs, and fails", async (_, CITUS_URL, sentence) => {
  const { code, output } = await run("node", ["--import", "tsx", "test/outside/citus/main.ts"], {
    env: { CITUS_URL },
  }).ended;
  expect(output).toMatch(sentence);
  expect(code).toBe(1);
});
