import { type ChildProcess, execFile, type StdioOptions, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";

/** How many of the last lines of a failed program's output are worth reading. */
const LINES_OF_ERROR = 20;

type Program = "python" | "prefect";

/** The programs of an environment, set up for a database that has Prefect's tables. */
export interface Programs {
  /** Where Prefect keeps its files. */
  home: string;
  /** Runs the program to its end; resolves to what it prints. */
  run(program: Program, ...args: string[]): Promise<string>;
  /** Starts the program and lets it go on. */
  start(program: Program, args: string[], stdio: StdioOptions): ChildProcess;
  /** Ends what is running and removes Prefect's files. An exit of the process does it too. */
  stop(): void;
}

/** Makes or upgrades Prefect's tables in the database. The settings are those of Prefect's environment variables. */
export async function openPrograms(
  bin: string,
  databaseUrl: string,
  settings?: Record<string, string>,
): Promise<Programs> {
  const programs = programsOn(databaseUrl, bin, settings);
  await programs.run("prefect", "server", "database", "upgrade", "-y");
  return programs;
}

/** For a database that has Prefect's tables, or for a server, which makes them when it starts. */
export function programsOn(
  databaseUrl: string,
  bin: string,
  settings: Record<string, string> = {},
): Programs {
  const home = mkdtempSync(join(tmpdir(), "task-run-state-prefect-"));
  const running = new Set<ChildProcess>();
  const stop = () => {
    process.off("exit", stop);
    for (const child of running) kill(child);
    rmSync(home, { recursive: true, force: true, maxRetries: 10 });
  };
  process.once("exit", stop);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.once(signal, () => process.exit(1));

  const env = {
    ...withoutSettings(process.env),
    PREFECT_HOME: home,
    PREFECT_API_DATABASE_CONNECTION_URL: databaseUrl.replace(/^postgres(ql)?:/, "postgresql+asyncpg:"),
    PREFECT_SERVER_ANALYTICS_ENABLED: "false",
    DO_NOT_TRACK: "1",
    PREFECT_LOGGING_LEVEL: "CRITICAL",
    PREFECT_LOGGING_TO_API_ENABLED: "false",
    ...settings,
  };
  const options = { cwd: home, env, detached: true };
  const keep = <T extends ChildProcess>(child: T): T => {
    running.add(child);
    child.once("exit", () => running.delete(child));
    return child;
  };
  const run = async (program: Program, ...args: string[]): Promise<string> => {
    const finished = promisify(execFile)(join(bin, program), args, { ...options, maxBuffer: 2 ** 28 });
    keep(finished.child);
    try {
      return (await finished).stdout;
    } catch (error) {
      const { stderr = "" } = error as { stderr?: string };
      const lines = stderr.trimEnd().split("\n").slice(-LINES_OF_ERROR);
      throw new Error(`${program} ${args[0]} failed:\n${lines.join("\n")}`);
    }
  };
  const start = (program: Program, args: string[], stdio: StdioOptions) =>
    keep(spawn(join(bin, program), args, { ...options, stdio }));

  return { home, run, start, stop };
}

/** Ends its process group. */
function kill({ pid }: ChildProcess): void {
  try {
    if (pid) process.kill(-pid, "SIGKILL");
  } catch {} // Nothing is left of the group.
}

/** What the caller has set for a Prefect of its own must not reach this one. */
function withoutSettings(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !name.startsWith("PREFECT_")));
}
