import { type ChildProcess, type ChildProcessWithoutNullStreams, spawn } from "node:child_process";
import { randomUUID } from "node:crypto";
import { once } from "node:events";
import { Agent, type IncomingMessage, request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import { StateType, TaskRunState } from "typeorm-task-run-state";
import {
  insertRecordedStates,
  type RecordedState,
  recordedRuns,
  recordedStates,
} from "../dev/prefect/history";
import { SHUTDOWN_MS } from "../examples/host/http";
import { type TestDataSource, useDatabase } from "./support/database";
import { until } from "./support/until";

describe.each(["express", "nestjs"])("the %s example", (example) => {
  const hosts: Host[] = [];
  afterAll(async () => {
    for (const host of hosts) host.process.kill("SIGKILL");
    await Promise.all(hosts.map(({ exited }) => exited));
  });
  const database = useDatabase();
  let url: string;
  let dataSource: TestDataSource;

  beforeAll(async () => {
    dataSource = await database.connect({ migrationsRun: false });
    await dataSource.query("CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)");
    await dataSource.transaction(async (manager) => {
      await manager.query("LOCK TABLE migrations"); // so that all have come this far before one goes on
      hosts.push(...[1, 2, 3].map(() => startHost(example, database.url)));
      const asksForLock = "query LIKE '%pg_try_advisory_lock%'";
      await until(async () => (await connections(`${example}%`, asksForLock)) === hosts.length);
      await until(async () => (await connections(`${example}%`, "wait_event_type = 'Lock'")) === 1);
    });
    await Promise.all(hosts.map((host) => host.url));
    url = `${await hosts[0]?.url}/api`;
    await insertRecordedStates(dataSource.manager);
  }, 60_000);

  async function connections(host: string, condition = "true"): Promise<number> {
    const sql = `SELECT FROM pg_stat_activity WHERE application_name LIKE $1 AND ${condition}`;
    return (await dataSource.query(sql, [host])).length;
  }

  async function insertTaskRun(): Promise<string> {
    const id = randomUUID();
    await dataSource.query("INSERT INTO task_run (id, name) VALUES ($1, 'a task run')", [id]);
    return id;
  }

  async function currentState(taskRunId: string): Promise<string | null> {
    const [row] = await dataSource.query("SELECT current_state FROM task_run WHERE id = $1", [taskRunId]);
    return row.current_state;
  }

  async function postState(taskRunId: string, body: unknown, query = "", host = hosts[0]): Promise<Response> {
    return fetch(`${await host?.url}/api/task_runs/${taskRunId}/states${query}`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  async function history(taskRunId: string): Promise<{ id: string; type: string }[]> {
    const response = await fetch(`${url}/task_run_states/?task_run_id=${taskRunId}`);
    expect(response.status).toBe(200);
    return (await response.json()) as { id: string; type: string }[];
  }

  test("three instances that start at once on an empty database run each migration once", async () => {
    const names = await dataSource.query("SELECT name FROM migrations ORDER BY id");
    expect(names).toEqual([
      { name: "CreateTaskRun1795219200000" },
      { name: "CreateTaskRunState1795305600000" },
    ]);
    for (const host of hosts) {
      expect((await fetch(`${await host.url}/api/task_run_states/?task_run_id=${randomUUID()}`)).status).toBe(
        200,
      );
    }
  });

  test("a state answers as from Prefect: the same keys in the same order, nulls and UTC times", async () => {
    for (const recorded of recordedStates) {
      const response = await fetch(`${url}/task_run_states/${recorded.id}`);
      expect(response.status).toBe(200);
      expect(response.headers.get("content-type")).toMatch(/^application\/json/);
      const state = await response.json();
      expect(state).toStrictEqual(asAnswered(recorded));
      expect(Object.keys(state as object)).toEqual(Object.keys(asAnswered(recorded)));
    }
  });

  test("a task run's states answer in order, with and without the trailing slash", async () => {
    for (const [taskRunId, recorded] of recordedRuns) {
      expect(await history(taskRunId)).toStrictEqual(recorded.map(asAnswered));
    }
    const [taskRunId] = recordedRuns.keys();
    const response = await fetch(`${url}/task_run_states?task_run_id=${taskRunId}`);
    expect(await response.json()).toStrictEqual(await history(String(taskRunId)));
  });

  test("an unknown task run answers an empty list", async () => {
    expect(await history(randomUUID())).toEqual([]);
  });

  test.each(["GET", "DELETE"])(
    "%s of an unknown or malformed id answers 404 with a detail",
    async (method) => {
      for (const id of [
        randomUUID(),
        "1",
        "null",
        "%00",
        "%27%20OR%201=1",
        "é",
        "x".repeat(8000),
        "..%2F..",
      ]) {
        const response = await fetch(`${url}/task_run_states/${id}`, { method });
        expect(response.status).toBe(404);
        expect(await response.json()).toEqual({ detail: expect.any(String) });
      }
    },
  );

  test("an unknown route, method or encoding of the path answers 4xx with a detail", async () => {
    for (const [status, method, path] of [
      [404, "GET", "/"],
      [404, "PUT", `/task_run_states/${randomUUID()}`],
      [404, "DELETE", "/task_run_states/"],
      [400, "GET", "/task_run_states/%E0%A4%A"],
    ] as const) {
      const response = await fetch(`${url}${path}`, { method });
      expect([response.status, path]).toEqual([status, path]);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
    expect((await fetch(`${url}/task_run_states/${"x".repeat(20_000)}`)).status).toBe(431);
  });

  test("a missing, malformed or repeated task_run_id answers 422 with a detail", async () => {
    const [id] = [...recordedRuns.keys()];
    for (const query of [
      "",
      "?task_run_id",
      "?task_run_id=",
      "?task_run_id=x",
      `?task_run_id=${id}&task_run_id=${id}`,
      `?task_run_id[]=${id}`,
      `?task_run_id[$ne]=${id}`,
      `?task_run_id=${"0".repeat(8000)}`,
    ]) {
      const response = await fetch(`${url}/task_run_states/${query}`);
      expect(response.status).toBe(422);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
  });

  test("a delete answers 204 without a body, and from then on the state is unknown", async () => {
    const { manager } = dataSource;
    const { id } = await manager.save(
      manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING }),
    );
    const deleted = await fetch(`${url}/task_run_states/${id}`, { method: "DELETE" });
    expect([deleted.status, await deleted.text()]).toEqual([204, ""]);
    expect((await fetch(`${url}/task_run_states/${id}`)).status).toBe(404);
    expect((await fetch(`${url}/task_run_states/${id}`, { method: "DELETE" })).status).toBe(404);
  });

  test("a new state is at once the task run's current state and the last of its history", async () => {
    const taskRunId = await insertTaskRun();
    for (const body of [
      { type: "PENDING" },
      { type: "RUNNING", name: "Retrying", message: "again ⏳" },
      { type: "COMPLETED", message: "" },
    ]) {
      const response = await postState(taskRunId, body);
      expect(response.status).toBe(201);
      const { id } = (await response.json()) as { id: string };
      expect((await history(taskRunId)).at(-1)).toMatchObject({ id, ...body });
      expect(await currentState(taskRunId)).toBe(body.type);
    }
    expect(await history(taskRunId)).toMatchObject([
      { name: "Pending", message: null },
      { name: "Retrying" },
      { name: "Completed", message: "" },
    ]);
  });

  test("a failure after the history row undoes both writes", async () => {
    const taskRunId = await insertTaskRun();
    await postState(taskRunId, { type: "RUNNING" });
    const before = await history(taskRunId);
    const failed = await postState(taskRunId, { type: "FAILED" }, "?fail=after-history");
    expect(failed.status).toBe(500);
    expect(await history(taskRunId)).toEqual(before);
    expect(await currentState(taskRunId)).toBe("RUNNING");
  });

  test("of states set at once, none is lost and the last of the history is the current one", async () => {
    const taskRunId = await insertTaskRun();
    const types = Object.values(StateType);
    const responses = await Promise.all(
      types.map((type, i) => postState(taskRunId, { type }, "", hosts[i % hosts.length])),
    );
    expect(responses.map(({ status }) => status)).toEqual(types.map(() => 201));
    const states = await history(taskRunId);
    expect(states.map(({ type }) => type).sort()).toEqual([...types].sort());
    expect(states.at(-1)?.type).toBe(await currentState(taskRunId));
  });

  test("a state for an unknown or malformed task run answers 404 and records nothing", async () => {
    const unknown = randomUUID();
    for (const id of [unknown, "1", "%00", "x".repeat(8000)]) {
      const response = await postState(id, { type: "RUNNING" });
      expect(response.status).toBe(404);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
    expect(await history(unknown)).toEqual([]);
  });

  test("a body that is no state answers a 4xx that says why, and records nothing", async () => {
    const taskRunId = await insertTaskRun();
    for (const [status, body] of [
      [400, "{"],
      [400, "RUNNING"],
      [413, { type: "RUNNING", message: "x".repeat(200_000) }],
      [422, ""],
      [422, []],
      [422, {}],
      [422, { type: "running" }],
      [422, { type: "toString" }],
      [422, { type: ["RUNNING"] }],
      [422, { type: "RUNNING", name: 1 }],
      [422, { type: "RUNNING", message: "\0" }],
      [422, { type: "RUNNING", taskRunId: randomUUID() }],
      [422, '{ "type": "RUNNING", "__proto__": {} }'],
    ] as const) {
      const response = await postState(taskRunId, body);
      expect([response.status, body]).toEqual([status, body]);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
    for (const [status, type, body] of [
      [422, "text/plain", '{"type":"RUNNING"}'],
      [422, "application/x-www-form-urlencoded", "type=RUNNING"],
      [415, "application/json; charset=klingon", '{"type":"RUNNING"}'],
    ] as const) {
      const response = await fetch(`${url}/task_runs/${taskRunId}/states`, {
        method: "POST",
        headers: { "content-type": type },
        body,
      });
      expect([response.status, type]).toEqual([status, type]);
      expect(await response.json()).toEqual({ detail: expect.any(String) });
    }
    expect(await history(taskRunId)).toEqual([]);
    expect(await currentState(taskRunId)).toBeNull();
  });

  test("an error of the database answers 500 and tells nothing of it, nor the log of the data, and the host goes on", async () => {
    const taskRunId = await insertTaskRun();
    await dataSource.query("ALTER TABLE task_run_state RENAME TO moved");
    const answers = await Promise.all([
      fetch(`${url}/task_run_states/${randomUUID()}`),
      fetch(`${url}/task_run_states/?task_run_id=${taskRunId}`),
      fetch(`${url}/task_run_states/${randomUUID()}`, { method: "DELETE" }),
      postState(taskRunId, { type: "RUNNING", message: "a customer's data" }),
    ]);
    await dataSource.query("ALTER TABLE moved RENAME TO task_run_state");
    for (const answer of answers) {
      expect(answer.status).toBe(500);
      expect(await answer.json()).toEqual({ detail: "Internal Server Error" });
    }
    expect(hosts[0]?.output()).toContain('relation "task_run_state" does not exist');
    expect(hosts[0]?.output()).not.toContain("customer");
    expect((await postState(taskRunId, { type: "RUNNING" })).status).toBe(201);
  });

  test("SIGTERM and SIGINT let a request in progress finish, close every connection and exit with 0", async () => {
    await Promise.all(
      (["SIGTERM", "SIGINT"] as const).map(async (signal, i) => {
        const host = hosts[i + 1] as Host;
        const taskRunId = await insertTaskRun();
        const url = await host.url;
        const agent = new Agent({ keepAlive: true, maxSockets: 1 });
        const silent = connect(Number(new URL(url).port), "127.0.0.1");
        await once(silent, "connect");
        let answer: Promise<IncomingMessage> | undefined;

        await dataSource.transaction(async (manager) => {
          await manager.query("SELECT FROM task_run WHERE id = $1 FOR UPDATE", [taskRunId]);
          answer = send(agent, `${url}/api/task_runs/${taskRunId}/states`, '{"type":"RUNNING"}');
          await until(async () => (await connections(host.name, "wait_event_type = 'Lock'")) === 1);
          host.process.kill(signal);
          await until(() => refuses(url));
        });

        expect((await answer)?.statusCode).toBe(201);
        expect((await send(agent, url)).headers.connection).toBe("close");
        expect(await history(taskRunId)).toHaveLength(1);
        // The pool would end its connections, and with them the process, when they were idle for 10 seconds.
        await until(async () => (await connections(host.name)) === 0, SHUTDOWN_MS + 3000);
        expect(await host.exited).toEqual([0, null]);
      }),
    );
  });

  test("its npm script brings a server, prints two commands that work, and ends with Ctrl-C", async () => {
    const script = spawn("npm", ["run", "--silent", `example:${example}`], {
      cwd: join(__dirname, ".."),
      detached: true,
      env: { ...process.env, DATABASE_URL: undefined, PORT: "0" },
    });
    const exited = once(script, "exit");
    const output = outputOf(script);
    await until(async () => output().split("curl ").length > 2);
    const [, post = "", type = "", body = ""] =
      /curl (\S+) -H content-type:(\S+) -d '(.*)'/.exec(output()) ?? [];
    const [, list = ""] = /curl '(.*)'/.exec(output()) ?? [];
    const posted = await fetch(post, { method: "POST", headers: { "content-type": type }, body });
    const listed = await fetch(list);
    process.kill(-(script.pid ?? Number.NaN), "SIGINT");
    await exited;
    expect(posted.status).toBe(201);
    expect(await listed.json()).toMatchObject([{ type: "RUNNING" }]);
    await until(() => refuses(list));
  });
});

/** What Prefect answers, but for the microseconds: a JavaScript `Date` has milliseconds. */
function asAnswered(recorded: RecordedState): Record<string, unknown> {
  const { id, type, name, timestamp, message, data, state_details } = recorded;
  return { id, type, name, timestamp: new Date(timestamp).toISOString(), message, data, state_details };
}

interface Host {
  url: Promise<string>;
  /** What it has printed so far. */
  output: () => string;
  /** What its connections are called in `pg_stat_activity`. */
  name: string;
  process: ChildProcess;
  exited: Promise<[code: number | null, signal: NodeJS.Signals | null]>;
}

/** Starts an example as a process of its own. Its URL is known when it accepts requests. */
function startHost(example: string, databaseUrl: string): Host {
  const name = `${example}-${randomUUID().slice(0, 8)}`;
  const host = spawn(process.execPath, ["--import", "tsx", join("examples", example, "main.ts")], {
    cwd: join(__dirname, ".."),
    env: { ...process.env, DATABASE_URL: databaseUrl, PORT: "0", PGAPPNAME: name },
  });
  const exited = once(host, "exit") as Host["exited"];
  const output = outputOf(host);
  const url = new Promise<string>((resolve, reject) => {
    host.stdout.on("data", () => {
      const [url] = /http:\/\/127\.0\.0\.1:\d+/.exec(output()) ?? [];
      if (url) resolve(url);
    });
    exited.then(() => reject(new Error(`The ${example} example did not start:\n${output()}`)));
  });
  return { url, output, name, process: host, exited };
}

/** Collects what the process prints. */
function outputOf({ stdout, stderr }: ChildProcessWithoutNullStreams): () => string {
  let output = "";
  for (const stream of [stdout, stderr]) stream.setEncoding("utf8").on("data", (text) => (output += text));
  return () => output;
}

function refuses(url: string): Promise<boolean> {
  return fetch(url).then(
    () => false,
    () => true,
  );
}

/** A POST when there is a body, else a GET; on the connection that the agent keeps. */
function send(agent: Agent, url: string, body?: string): Promise<IncomingMessage> {
  const headers = { "content-type": "application/json" };
  return new Promise((resolve, reject) => {
    request(url, { agent, headers, method: body ? "POST" : "GET" })
      .once("response", (response) => response.resume().once("end", () => resolve(response)))
      .once("error", reject)
      .end(body);
  });
}
