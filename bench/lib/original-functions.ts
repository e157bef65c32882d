import { once } from "node:events";
import { join } from "node:path";
import { createInterface } from "node:readline";

import { installPrefect } from "../../dev/prefect/environment";
import { openPrograms } from "../../dev/prefect/programs";
import { POOL_SIZE } from "./contender";

/** What one request to `original_functions.py` makes: so many calls at a time, one for each id. */
export interface Calls {
  name: "read" | "list";
  ids: string[];
  callers: number;
}

export interface CallsMade {
  /** Calls a second. */
  throughput: number;
  /** The ids of the states that the last call gave. */
  found: string[];
}

/** The functions of Prefect's server, in a process of their own. */
export interface OriginalFunctions {
  /** Of Prefect and of what it stands on. */
  versions: string;
  make(calls: Calls): Promise<CallsMade>;
  close(): void;
}

/** Makes Prefect's tables in the database. The pool of connections is as large as everybody's here. */
export async function openOriginal(databaseUrl: string): Promise<OriginalFunctions> {
  const { version, pythonVersion, bin } = installPrefect("3.8.8");
  const { run, start, stop } = await openPrograms(bin, databaseUrl, {
    PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: String(POOL_SIZE),
    PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW: "0",
  });
  const libraries = await run(
    "python",
    "-c",
    "import asyncpg, sqlalchemy; print(f'SQLAlchemy {sqlalchemy.__version__}, asyncpg {asyncpg.__version__}')",
  );
  const functions = start("python", [join(__dirname, "original_functions.py")], ["pipe", "pipe", "inherit"]);
  const { stdin, stdout } = functions;
  if (!stdin || !stdout) throw new Error("The process has no pipes");
  const answers = createInterface(stdout);
  const ended = once(functions, "exit").then(() => {
    throw new Error("The process of Prefect's functions ended");
  });
  ended.catch(() => {}); // Who waits for an answer hears of it.
  return {
    versions: `Prefect ${version}, Python ${pythonVersion}, ${libraries.trim()}`,
    async make(calls) {
      stdin.write(`${JSON.stringify(calls)}\n`);
      const [answer] = await Promise.race([once(answers, "line"), ended]);
      return JSON.parse(answer);
    },
    close: stop,
  };
}
