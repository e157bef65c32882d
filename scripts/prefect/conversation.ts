import type { ChildProcess } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

/** Sends a request and resolves to its answer. The next one may be sent then. */
export type Conversation = (request: unknown) => Promise<unknown>;

/** With a process that answers each line of its input with a line of its output, both of them JSON. */
export function converse(child: ChildProcess): Conversation {
  const { stdin, stdout } = child;
  if (!stdin || !stdout) throw new Error("The process has no pipes");
  const answers = createInterface(stdout);
  const ended = once(child, "exit").then(() => {
    throw new Error("The process ended before it answered");
  });
  ended.catch(() => {}); // Who waits for an answer hears of it.
  return async (request) => {
    stdin.write(`${JSON.stringify(request)}\n`);
    const [answer] = await Promise.race([once(answers, "line"), ended]);
    return JSON.parse(answer);
  };
}
