import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

export interface Options {
  /** The root of the repository unless given. */
  cwd?: string;
  /** Added to the environment of the test; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  /** Gives the process a group of its own, as a terminal does for each command. `npm` needs it: it starts others. */
  detached?: boolean;
  /** Takes the command for a line of a shell, as a page shows it. */
  shell?: boolean;
}

export interface Outcome {
  /** null when a signal ended the process. */
  code: number | null;
  output: string;
}

export interface Run {
  /** What it has printed so far, on standard output and standard error. */
  output(): string;
  /** Resolves when the output matches. Rejects when the process ends before that. */
  printed(pattern: RegExp): Promise<RegExpExecArray>;
  /** Sends a signal to the process; to its whole group when it has one, as Ctrl-C does. */
  signal(signal: NodeJS.Signals): void;
  /** Resolves when the process has ended and all of its output has arrived. */
  ended: Promise<Outcome>;
}

const running = new Map<ChildProcess, Run>();

/** Starts a command. What still runs after the last test of the file gets SIGTERM. */
export function run(
  command: string,
  args: string[],
  { cwd = join(__dirname, "../.."), env, detached = false, shell = false }: Options = {},
): Run {
  const child = spawn(command, args, {
    cwd,
    detached,
    shell,
    env: { ...process.env, ...env },
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text) => {
      output += text;
    });
  }

  const started: Run = {
    output: () => output,
    async printed(pattern) {
      for (;;) {
        const match = pattern.exec(output);
        if (match) return match;
        if (!running.has(child)) throw new Error(`It ended before it printed ${pattern}:\n${output}`);
        await setTimeout(20);
      }
    },
    signal(signal) {
      if (!detached) child.kill(signal);
      else if (child.pid && running.has(child)) process.kill(-child.pid, signal);
    },
    ended: once(child, "close").then(([code]) => {
      running.delete(child);
      return { code, output };
    }),
  };
  running.set(child, started);
  return started;
}

// A command that brings a server must be able to remove it.
afterAll(async () => {
  for (const { signal } of running.values()) signal("SIGTERM");
  await Promise.all([...running.values()].map(({ ended }) => ended));
}, 30_000);
