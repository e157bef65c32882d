import type { ChildProcess } from "node:child_process";
import { join } from "node:path";

import { installPrefect, PREFECT_VERSIONS } from "../../scripts/prefect/environment";
import { programsOn } from "../../scripts/prefect/programs";
import { POOL_SIZE } from "../lib/contender";

/** The functions of Prefect's own server, which read this module's table as it is. */
export interface PrefectFunctions {
  name: string;
  version: string;
  child: ChildProcess;
}

/** Throws a `PrefectUnavailable` where there is no Python for it. The pool of connections is as large as everybody's here. */
export function startPrefectFunctions(url: string): PrefectFunctions {
  const { version, pythonVersion, bin } = installPrefect(PREFECT_VERSIONS[0]);
  const { start } = programsOn(url, bin, {
    PREFECT_SERVER_DATABASE_SQLALCHEMY_POOL_SIZE: String(POOL_SIZE),
    PREFECT_SERVER_DATABASE_SQLALCHEMY_MAX_OVERFLOW: "0",
  });
  const script = join(__dirname, "prefect_functions.py");
  return {
    name: "Prefect's functions",
    version: `${version}, Python ${pythonVersion}`,
    child: start("python", [script], ["ignore", "inherit", "inherit", "ipc"]),
  };
}
