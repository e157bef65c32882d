import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";

import type { Session } from "./contender";
import type { Measurement } from "./measure";

export type Method = keyof Session;

/** An id, several of them, or the number of the first state to record. */
export type Input = string | string[] | number;

/** How fast are these calls? */
export interface Measure {
  method: Method;
  inputs: Input[];
  callers: number;
  milliseconds: number;
}

/** What the parent asks of a worker: the answer of one call, or how fast many are. */
export type Request = { kind: "call"; method: Method; input: Input } | ({ kind: "measure" } & Measure);

/** A worker's answer. The first one comes unasked, when it is connected: the methods that it has. */
export type Response = { answer: unknown } | { error: string };

/** A contender in a process of its own. */
export interface Worker {
  methods: Method[];
  /** What the call answers, as JSON; times in milliseconds. */
  call(method: Method, input: Input): Promise<unknown>;
  measure(request: Measure): Promise<Measurement>;
}

/** Starts `worker.ts`. */
export const startWorker = (contender: string, url: string): ChildProcess =>
  fork(join(__dirname, "../worker.ts"), [contender, url]);

export interface Started {
  name: string;
  /** It has a channel for messages. */
  child: ChildProcess;
}

/** Waits until all processes are connected, and ends them after the work. */
export async function withWorkers<S extends Started, T>(
  started: S[],
  work: (connected: (S & { worker: Worker })[]) => Promise<T>,
): Promise<T> {
  const exits = started.map(({ child }) => once(child, "exit"));
  try {
    return await work(
      await Promise.all(started.map(async (each) => ({ ...each, worker: await workerOf(each) }))),
    );
  } finally {
    for (const { child } of started) child.kill();
    await Promise.all(exits);
  }
}

async function workerOf({ name, child }: Started): Promise<Worker> {
  const ended = once(child, "exit").then(([code]) => {
    throw new Error(`${name}: the process ended with ${code}`);
  });
  ended.catch(() => {}); // Who waits for an answer hears of it.
  const next = async () => {
    const [response]: [Response] = await Promise.race([once(child, "message") as Promise<[Response]>, ended]);
    if ("error" in response) throw new Error(`${name}: ${response.error}`);
    return response.answer;
  };
  const ask = (request: Request) => {
    child.send(request);
    return next();
  };
  return {
    methods: (await next()) as Method[],
    call: (method, input) => ask({ kind: "call", method, input }),
    measure: (request) => ask({ kind: "measure", ...request }) as Promise<Measurement>,
  };
}
