import { deepEqual, equal, match } from "node:assert/strict";
import { randomUUID } from "node:crypto";

type State = Record<"id" | "taskRunId" | "type" | "name" | "message" | "timestamp", string>;

/** Calls every route of a host, as the pages show them, in every way that a client may: all hosts answer alike. */
export async function callHost(url: string): Promise<void> {
  const history = `${url}/task-runs/${randomUUID()}/states`;
  deepEqual(await answer(history), { status: 200, body: [] });
  // A UUID of no version, which some libraries refuse.
  deepEqual(await answer(`${url}/task-runs/00000000-0000-0000-0000-00000000000a/states`), {
    status: 200,
    body: [],
  });

  equal((await answer(history, post({ type: "PENDING" }))).status, 201);
  const retried = await answer(history, post({ type: "RUNNING", name: "Retrying", message: "again ⏳" }));
  equal(retried.status, 201);
  const states = retried.body as [State, State];
  deepEqual(await answer(history), { status: 200, body: states });
  deepEqual(
    states.map(({ type, name, message }) => [type, name, message]),
    [
      ["PENDING", "Pending", null],
      ["RUNNING", "Retrying", "again ⏳"],
    ],
  );
  for (const state of states)
    deepEqual(await answer(`${url}/states/${state.id}`), { status: 200, body: state });

  for (const fault of faults(url, history)) {
    const { status, body } = await answer(fault.url, fault.init);
    deepEqual({ ...fault, status }, fault);
    if (fault.says) match(JSON.stringify(body), fault.says);
  }
  deepEqual(await answer(history), { status: 200, body: states });

  const [{ id }] = states;
  equal((await answer(`${url}/states/${id}`, { method: "DELETE" })).status, 204);
  equal((await answer(`${url}/states/${id}`)).status, 404);
  deepEqual(await answer(history), { status: 200, body: states.slice(1) });
}

interface Fault {
  url: string;
  init?: RequestInit;
  status: number;
  says?: RegExp;
}

/** What a client can do wrong, and what each route answers to it. */
function faults(url: string, history: string): Fault[] {
  const pathFaults = (id: string, status: number, says?: RegExp): Fault[] =>
    [{ method: "GET" }, { method: "DELETE" }].map((init) => ({
      url: `${url}/states/${id}`,
      init,
      status,
      ...(says && { says }),
    }));
  const taskRunFaults = (id: string, says?: RegExp): Fault[] =>
    [{ method: "GET" }, post({ type: "RUNNING" })].map((init) => ({
      url: `${url}/task-runs/${id}/states`,
      init,
      status: 400,
      ...(says && { says }),
    }));
  const bodyFault = (status: number, body: unknown, type?: string): Fault => ({
    url: history,
    init: post(body, type),
    status,
  });
  return [
    ...pathFaults(randomUUID(), 404),
    ...pathFaults("7", 400, /taskRunStateId must be a UUID string/),
    ...pathFaults("%27%20OR%201=1", 400, /taskRunStateId must be a UUID string/),
    ...pathFaults("%E0%A4%A", 400),
    ...taskRunFaults("7", /taskRunId must be a UUID string/),
    ...taskRunFaults("%E0%A4%A"),
    bodyFault(400, "{"),
    bodyFault(400, ""),
    bodyFault(400, "null"),
    bodyFault(415, "type=RUNNING", "application/x-www-form-urlencoded"),
    bodyFault(415, '{"type":"RUNNING"}', "text/plain"),
    bodyFault(413, { type: "RUNNING", message: "x".repeat(2 ** 21) }),
    bodyFault(400, {}),
    bodyFault(400, []),
    bodyFault(400, { type: "running" }),
    bodyFault(400, { type: ["RUNNING"] }),
    bodyFault(400, { type: "RUNNING", name: 1 }),
    bodyFault(400, { type: "RUNNING", message: "\0" }),
    bodyFault(400, { type: "RUNNING", message: "\ud800" }),
    bodyFault(400, { type: "RUNNING", taskRunId: randomUUID() }),
  ];
}

export function post(body: unknown, type = "application/json"): RequestInit {
  return {
    method: "POST",
    headers: { "content-type": type, connection: "close" }, // An idle one would delay the end of a host.
    body: typeof body === "string" ? body : JSON.stringify(body),
  };
}

async function answer(url: string, init?: RequestInit): Promise<{ status: number; body: unknown }> {
  const response = await fetch(url, init);
  const text = await response.text();
  return {
    status: response.status,
    body: text.startsWith("{") || text.startsWith("[") ? JSON.parse(text) : text,
  };
}
