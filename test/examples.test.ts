import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { StateType, TaskRunState } from "typeorm-task-run-state";

import {
  insertRecordedStates,
  type RecordedState,
  recordedRuns,
  recordedStates,
} from "../dev/prefect/history";
import { type TestDataSource, useDatabase } from "./support/database";
import { type Run, run } from "./support/run";
import { until } from "./support/until";

/** The database refuses a state with this message. */
const REFUSED = "a secret of a customer";

describe.each(["express", "nestjs"])("the %s example", (example) => {
  const hosts: Run[] = [];
  afterAll(async () => {
    for (const host of hosts) host.signal("SIGKILL");
    await Promise.all(hosts.map(({ ended }) => ended));
  });

  const database = useDatabase();
  let dataSource: TestDataSource;
  const urls: string[] = [];

  beforeAll(async () => {
    dataSource = await database.connect({ migrationsRun: false });
    await dataSource.query("CREATE TABLE migrations (id serial PRIMARY KEY, timestamp bigint, name varchar)");
    await dataSource.transaction(async (manager) => {
      await manager.query("LOCK TABLE migrations"); // All hosts must have come this far before one goes on.
      hosts.push(...[1, 2, 3].map((number) => startHost(`${example} ${number}`)));
      await until(async () => (await connectedHosts()).length === hosts.length);
      await until(async () => (await connectedHosts("wait_event_type = 'Lock'")).length > 0);
    });
    for (const host of hosts) urls.push((await host.printed(/http:\/\/127\.0\.0\.1:\d+/))[0]);
    await insertRecordedStates(dataSource.manager);
    await dataSource.query(`ALTER TABLE task_run_state ADD CHECK (message <> '${REFUSED}')`);
  }, 60_000);

  function startHost(name: string): Run {
    return run(process.execPath, ["--import", "tsx", join("examples", example, "main.ts")], {
      env: { DATABASE_URL: database.url, PORT: "0", PGAPPNAME: name },
    });
  }

  /** The names of the hosts that have such a connection to the database. */
  async function connectedHosts(condition = "true"): Promise<string[]> {
    const rows: { name: string }[] = await dataSource.query(
      `SELECT DISTINCT application_name AS name FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE $1 AND ${condition}`,
      [`${example} %`],
    );
    return rows.map(({ name }) => name);
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

  function request(path: string, init?: RequestInit): Promise<Response> {
    return fetch(`${urls[0]}/api${path}`, init);
  }

  function postState(taskRunId: string, body: unknown, url = urls[0]): Promise<Response> {
    return fetch(`${url}/api/task_runs/${taskRunId}/states`, {
      method: "POST",
      headers: { "content-type": "application/json", connection: "close" }, // An idle one would delay SIGTERM.
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
  }

  async function history(taskRunId: string): Promise<{ id: string; type: string }[]> {
    const response = await request(`/task_run_states/?task_run_id=${taskRunId}`);
    expect(response.status).toBe(200);
    return (await response.json()) as { id: string; type: string }[];
  }

  test("three instances that start at once on an empty database run each migration once", async () => {
    const names = await dataSource.query("SELECT name FROM migrations ORDER BY id");
    expect(names).toEqual([
      { name: "CreateTaskRun1795219200000" },
      { name: "CreateTaskRunState1795305600000" },
    ]);
  });

  test("a state is answered with the keys of Prefect, in Prefect's order", async () => {
    const [recorded] = recordedStates as [RecordedState];
    const response = await request(`/task_run_states/${recorded.id}`);
    expect(response.status).toBe(200);
    expect(await response.text()).toMatch(
      /^{"id":.*,"type":.*,"name":.*,"timestamp":.*,"message":.*,"data":.*,"state_details":.*}$/,
    );
  });

  test("the states of a task run are answered in order, those of an unknown one as an empty list", async () => {
    for (const [taskRunId, recorded] of recordedRuns) {
      expect(await history(taskRunId)).toStrictEqual(recorded.map(asAnswered));
    }
    expect(await history(randomUUID())).toEqual([]);
  });

  test.each(["GET", "DELETE"])("%s of an unknown or malformed id answers 404", async (method) => {
    for (const id of [randomUUID(), "1", "%27%20OR%201=1"]) {
      expect((await request(`/task_run_states/${id}`, { method })).status).toBe(404);
    }
  });

  test("a missing, malformed or repeated task_run_id answers 422 and says why", async () => {
    const id = randomUUID();
    for (const query of ["", "?task_run_id=", "?task_run_id=x", `?task_run_id=${id}&task_run_id=${id}`]) {
      const response = await request(`/task_run_states/${query}`);
      expect(response.status).toBe(422);
      expect(await response.text()).toContain("taskRunId must be a UUID string");
    }
  });

  test("a deleted state is unknown from then on", async () => {
    const { manager } = dataSource;
    const state = manager.create(TaskRunState, { taskRunId: randomUUID(), type: StateType.RUNNING });
    await manager.insert(TaskRunState, state);
    const path = `/task_run_states/${state.id}`;
    expect((await request(path, { method: "DELETE" })).status).toBe(204);
    expect((await request(path)).status).toBe(404);
    expect((await request(path, { method: "DELETE" })).status).toBe(404);
  });

  test("a state that is set is the task run's current one and the last of its history", async () => {
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

  test("when the history refuses a state, the current state stays as it was too", async () => {
    const taskRunId = await insertTaskRun();
    await postState(taskRunId, { type: "RUNNING" });
    expect((await postState(taskRunId, { type: "FAILED", message: REFUSED })).status).toBe(500);
    expect(await currentState(taskRunId)).toBe("RUNNING");
    expect(await history(taskRunId)).toMatchObject([{ type: "RUNNING" }]);
  });

  test("of states that are set at once none is lost, and the last of the history is the current one", async () => {
    const taskRunId = await insertTaskRun();
    const types = Array.from({ length: 10 }, () => Object.values(StateType)).flat();
    const responses = await Promise.all(
      types.map((type, i) => postState(taskRunId, { type }, urls[i % urls.length])),
    );
    expect(responses.map(({ status }) => status)).toEqual(types.map(() => 201));
    const states = await history(taskRunId);
    expect(states.map(({ type }) => type).sort()).toEqual([...types].sort());
    expect(states.at(-1)?.type).toBe(await currentState(taskRunId));
  });

  test("a state for an unknown or malformed task run answers 404 and is not recorded", async () => {
    const unknown = randomUUID();
    for (const id of [unknown, "1"]) {
      expect((await postState(id, { type: "RUNNING" })).status).toBe(404);
    }
    expect(await history(unknown)).toEqual([]);
  });

  test("a body that is no state answers a 4xx that says why, and nothing is recorded", async () => {
    const taskRunId = await insertTaskRun();
    for (const [status, reason, body] of [
      [400, /JSON/, "{"],
      [422, /type/, {}],
      [422, /type|object/, []],
      [422, /type/, { type: "running" }],
      [422, /type/, { type: ["RUNNING"] }],
      [422, /name/, { type: "RUNNING", name: 1 }],
      [422, /message/, { type: "RUNNING", message: "\0" }],
      [422, /taskRunId/, { type: "RUNNING", taskRunId: randomUUID() }],
    ] as const) {
      const response = await postState(taskRunId, body);
      expect([response.status, body]).toEqual([status, body]);
      expect(await response.text()).toMatch(reason);
    }
    expect(await history(taskRunId)).toEqual([]);
    expect(await currentState(taskRunId)).toBeNull();
  });

  test("an error of the database answers a bare 500, and the log has the error without the client's data", async () => {
    const response = await postState(await insertTaskRun(), { type: "FAILED", message: REFUSED });
    expect(response.status).toBe(500);
    expect(await response.text()).not.toMatch(/constraint|task_run/);
    await hosts[0]?.printed(/violates check constraint/);
    expect(hosts[0]?.output()).not.toContain(REFUSED);
  });

  test("on SIGTERM a request in progress is answered, and every connection closes", async () => {
    const [host, url = ""] = [hosts[0], urls[0]];
    const taskRunId = await insertTaskRun();
    let answer: Promise<Response> | undefined;
    await dataSource.transaction(async (manager) => {
      await manager.query("SELECT FROM task_run WHERE id = $1 FOR UPDATE", [taskRunId]);
      answer = postState(taskRunId, { type: "RUNNING" });
      await until(async () => (await connectedHosts("wait_event_type = 'Lock'")).length === 1);
      host?.signal("SIGTERM");
      await until(() => refuses(url));
    });
    expect((await answer)?.status).toBe(201);
    // A pool that nobody destroys closes its connections after 10 seconds, and the process ends then.
    await until(async () => !(await connectedHosts()).includes(`${example} 1`), 5000);
    // Express leaves an empty event loop. Nest ends the process with the signal that it received.
    expect(await host?.ended).toMatchObject({ code: example === "express" ? 0 : null });
  });

  test("its npm script starts a server, prints two commands that work, and ends on Ctrl-C", async () => {
    const script = run("npm", ["run", "--silent", `example:${example}`], {
      env: { DATABASE_URL: undefined, PORT: "0" },
      detached: true,
    });
    const [, post = "", type = "", body = ""] = await script.printed(
      /curl (\S+) -H content-type:(\S+) -d '(.*)'/,
    );
    const [, list = ""] = await script.printed(/curl '(.*)'/);
    const posted = await fetch(post, { method: "POST", headers: { "content-type": type }, body });
    expect(posted.status).toBe(201);
    expect(await (await fetch(list)).json()).toMatchObject([{ type: "RUNNING" }]);
    script.signal("SIGINT");
    await script.ended;
    expect(await refuses(list)).toBe(true);
  });
});

/** A recorded state as Prefect answers it, with milliseconds: a JavaScript `Date` has no microseconds. */
function asAnswered(recorded: RecordedState): Record<string, unknown> {
  const { id, type, name, timestamp, message, data, state_details } = recorded;
  return { id, type, name, timestamp: new Date(timestamp).toISOString(), message, data, state_details };
}

/** Whether a new connection is refused. */
function refuses(url: string): Promise<boolean> {
  return fetch(url, { headers: { connection: "close" } }).then(
    () => false,
    () => true,
  );
}
