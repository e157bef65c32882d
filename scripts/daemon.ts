import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { chownSync, mkdtempSync, openSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";

import { removeFolder, unprivilegedUser } from "./postgres";

/** What a program says of its version, such as "PgBouncer 1.18.0"; undefined where it is not on the PATH. */
export function versionOf(program: string): string | undefined {
  const { stdout, stderr } = spawnSync(program, ["--version"], { encoding: "utf8" });
  return (stdout || stderr)?.split("\n")[0]; // pgpool-II says it on standard error.
}

interface Daemon {
  program: string;
  /** What its folder holds when it starts. */
  files: (folder: string) => Record<string, string>;
  args: string[];
  /** What it logs when it is ready. */
  ready: string;
}

/** Starts a program in a folder of its own. What returns ends it and removes the folder, as an exit of the process does. */
export async function startDaemon({ program, files, args, ready }: Daemon): Promise<() => Promise<void>> {
  const folder = mkdtempSync(join(tmpdir(), `task-run-state-${program}-`));
  let running: ChildProcess | undefined;
  const abandon = () => {
    const { pid, exitCode, signalCode } = running ?? {};
    // With its children, which pgpool-II has, and by the one signal at which it gives back its shared memory at once.
    if (pid && exitCode === null && signalCode === null) process.kill(-pid, "SIGQUIT");
    removeFolder(folder);
  };
  process.once("exit", abandon);

  const user = unprivilegedUser();
  const own = (path: string) => user && chownSync(path, user.uid, user.gid);
  own(folder);
  for (const [name, content] of Object.entries(files(folder))) {
    writeFileSync(join(folder, name), content);
    own(join(folder, name));
  }
  const log = join(folder, "log");
  const output = openSync(log, "a");
  running = spawn(program, args, {
    ...user,
    cwd: folder,
    detached: true,
    stdio: ["ignore", output, output],
  });
  const exited = once(running, "exit");
  while (!readFileSync(log, "utf8").includes(ready)) {
    if (running.exitCode !== null) throw new Error(`${program} did not start:\n${readFileSync(log, "utf8")}`);
    await setTimeout(20);
  }
  return async () => {
    abandon();
    await exited;
    abandon();
    process.off("exit", abandon);
  };
}
