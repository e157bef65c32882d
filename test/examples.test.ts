import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { type AddressInfo, createServer } from "node:net";
import { join } from "node:path";
import { StateType, TaskRunState } from "typeorm-task-run-state";

import { insertRecordedStates, recordedRuns } from "../scripts/prefect/history";
import { callHost, post } from "./support/call-host";
import { type TestDataSource, useDatabase } from "./support/database";
import { readPage } from "./support/documents";
import { type Run, run } from "./support/run";
import { until } from "./support/until";

/** The database refuses a state with this message. */
const REFUSED = "a secret of a customer";

describe.each([
  ["express", "docs/hosts.md"],
  ["nestjs", "docs/nestjs.md"],
])("the %s example", (example, page) => {
  const database = useDatabase();
  let dataSource: TestDataSource;
  let host: Run;
  let url: string;

  function startHost(env: Record<string, string> = {}): Run {
    return run(process.execPath, ["--import", "tsx", join("examples", example, "main.ts")], {
      env: { DATABASE_URL: database.url, PORT: "0", PGAPPNAME: "host", ...env },
    });
  }

  beforeAll(async () => {
    dataSource = await database.connect();
    await insertRecordedStates(dataSource.manager);
    await dataSource.query(`ALTER TABLE task_run_state ADD CHECK (message <> '${REFUSED}')`);
    host = startHost();
    url = await urlOf(host);
  });
  afterAll(async () => {
    host.signal("SIGKILL");
    await host.ended;
  });

  const history = (taskRunId: string) => `${url}/task-runs/${taskRunId}/states`;

  /** How many connections of the host there are to the database, of those that the condition names. */
  async function connections(condition = "true"): Promise<number> {
    const [{ count }] = await dataSource.query(
      `SELECT count(*)::int FROM pg_stat_activity
        WHERE datname = current_database() AND application_name = 'host' AND ${condition}`,
    );
    return count;
  }

  test("lists, records, reads and deletes, and answers every fault with its status", () => callHost(url));

  test("a history is answered as the JSON of the entities, in order", async () => {
    for (const [taskRunId] of recordedRuns) {
      const order = { timestamp: "ASC", id: "ASC" } as const;
      const states = await dataSource.manager.find(TaskRunState, { where: { taskRunId }, order });
      expect(await (await fetch(history(taskRunId))).text()).toBe(JSON.stringify(states));
    }
  });

  test("of states that are recorded at once none is lost", async () => {
    const taskRunId = randomUUID();
    const types = Array.from({ length: 10 }, () => Object.values(StateType)).flat();
    await Promise.all(types.map((type) => fetch(history(taskRunId), post({ type }))));
    const states = (await (await fetch(history(taskRunId))).json()) as { type: string }[];
    expect(states.map(({ type }) => type).sort()).toEqual([...types].sort());
  });

  test("an error of the database answers a bare 500, and the log has the error without the client's data", async () => {
    const response = await fetch(history(randomUUID()), post({ type: "FAILED", message: REFUSED }));
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/constraint|task_run/);
    await host.printed(/violates check constraint/);
    expect(host.output()).not.toContain(REFUSED);
  });

  test("on SIGTERM a request in progress is answered, and every connection closes", async () => {
    let answer: Promise<Response> | undefined;
    await dataSource.transaction(async (manager) => {
      await manager.query("LOCK TABLE task_run_state IN EXCLUSIVE MODE");
      answer = fetch(history(randomUUID()), post({ type: "RUNNING" }));
      await until(async () => (await connections("wait_event_type = 'Lock'")) === 1);
      host.signal("SIGTERM");
      await until(() => refuses(url));
    });
    expect((await answer)?.status).toBe(201);
    // A pool that nobody destroys closes its connections after 10 seconds, and the process ends then.
    await until(async () => (await connections()) === 0, 5000);
    // Express leaves an empty event loop. Nest ends the process with the signal that it received.
    expect(await host.ended).toMatchObject({ code: example === "express" ? 0 : null });
  });

  test("its npm script starts a server on which the page's commands work, and ends on Ctrl-C", async () => {
    const [commands = ""] = readPage(page).blocks.flatMap(({ kind, code }) =>
      kind === "sh commands" && code.includes("curl") ? code : [],
    );
    const [start = "", ...calls] = commands.trim().split("\n");
    const script = run(start.replace("npm", "npm --silent"), [], {
      env: { DATABASE_URL: undefined, PORT: "0" },
      detached: true,
      shell: true,
    });
    const started = await urlOf(script);
    const answers: unknown[] = [];
    for (const call of calls) {
      const curl = run(call.replace("localhost:3000", new URL(started).host), [], { shell: true });
      answers.push(JSON.parse((await curl.ended).output.replace(/^[^[{]*/, "")));
    }
    expect(answers).toMatchObject([[{ type: "RUNNING" }], [{ type: "RUNNING" }]]);
    script.signal("SIGINT");
    await script.ended;
    expect(await refuses(started)).toBe(true);
  }, 60_000);

  test("it says in one sentence that it cannot start", async () => {
    const { port, close } = await takePort();
    try {
      const outcomes = await Promise.all([
        startHost({ PORT: port }).ended,
        startHost({ PORT: "99999" }).ended,
      ]);
      for (const { code, output } of outcomes) {
        expect(code).toBe(1);
        expect(output).not.toMatch(/^ +at /m);
      }
      const [taken, tooHigh] = outcomes;
      expect(taken.output).toMatch(
        /^Cannot start: listen EADDRINUSE: address already in use 127.0.0.1:\d+$/m,
      );
      expect(tooHigh.output).toMatch(/^Cannot start: options.port should be >= 0 and < 65536./m);
    } finally {
      close();
    }
  }, 60_000);

  test("its npm script says in one sentence that no server answers", async () => {
    const script = run("npm", ["run", "--silent", example, "-w", "examples"], {
      env: { DATABASE_URL: "postgres://someone:secret@127.0.0.1:1/postgres" },
    });
    expect(await script.ended).toEqual({
      code: 1,
      output:
        "Cannot connect to PostgreSQL (connect ECONNREFUSED 127.0.0.1:1): " +
        "check DATABASE_URL, or unset it to use an embedded server.\n",
    });
  });
});

/** A port that another server listens on. */
async function takePort(): Promise<{ port: string; close: () => void }> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  return { port: String((server.address() as AddressInfo).port), close: () => server.close() };
}

/** Where it says that it listens. */
async function urlOf(host: Run): Promise<string> {
  return (await host.printed(/http:\/\/127\.0\.0\.1:\d+/))[0];
}

/** Whether a new connection is refused. */
function refuses(url: string): Promise<boolean> {
  return fetch(url, { headers: { connection: "close" } }).then(
    () => false,
    () => true,
  );
}
