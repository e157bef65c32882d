import { inspect } from "node:util";

import { CONTENDERS } from "./contenders";
import type { Session, State } from "./lib/contender";
import { measure } from "./lib/measure";
import { newStates } from "./lib/new-states";
import type { Input, Method, Request, Response } from "./lib/worker";

/** Connects a contender and does what the parent asks for, for as long as the parent lives. */
async function main([name, url = ""]: string[]): Promise<void> {
  process.once("disconnect", () => process.exit());
  const contender = CONTENDERS.find((contender) => contender.name === name);
  if (!contender) throw new Error(`There is no contender called ${name}`);
  const session = await contender.open(url);
  process.on("message", async (request: Request) => {
    respond(await answer(session, request).catch((error) => ({ error: inspect(error) })));
  });
  respond({ answer: Object.keys(session) });
}

/** A parent that is gone needs no answer. */
const respond = (response: Response) => process.send?.(response, () => {});

async function answer(session: Session, request: Request): Promise<Response> {
  const call = session[request.method] as (input: unknown) => Promise<unknown>;
  if (request.kind === "call") return { answer: plain(await call(ready(request.method, request.input))) };
  const { method, inputs, callers, milliseconds } = request;
  const taken = inputs.map((input) => ready(method, input));
  return { answer: await measure(taken, callers, milliseconds, call) };
}

/** What the call takes: for one that records, the states. */
function ready(method: Method, input: Input): unknown {
  if (method === "record") return newStates(Number(input), 1)[0];
  return method === "recordAll" ? newStates(Number(input), 1000) : input;
}

/** JSON has no times. */
function plain(answer: unknown): unknown {
  if (Array.isArray(answer)) return answer.map(plain);
  if (!(answer instanceof Object)) return answer;
  const { created, updated, timestamp, ...rest } = answer as State;
  return {
    ...rest,
    created: created.getTime(),
    updated: updated.getTime(),
    timestamp: timestamp.getTime(),
  };
}

main(process.argv.slice(2)).catch((error) => {
  respond({ error: inspect(error) });
  process.exitCode = 1;
});
