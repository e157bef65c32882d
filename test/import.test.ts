import { execFileSync } from "node:child_process";
import { join } from "node:path";

const root = join(__dirname, "..");

/** What a fresh process prints that loads the source and then runs `script`, with the module as `imported`. */
function afterImporting(script: string): unknown {
  const program = `
    const Module = require("node:module");
    const requests = [];
    const load = Module._load;
    Module._load = function (request, parent, ...rest) {
      if (parent?.filename.startsWith(${JSON.stringify(join(root, "src"))})) requests.push(request);
      return load.call(this, request, parent, ...rest);
    };
    const imported = require("./src/index.ts");
    console.log(JSON.stringify(${script}));`;
  return printedBy(program);
}

function printedBy(program: string): unknown {
  const args = ["--import", "tsx", "-e", program];
  return JSON.parse(execFileSync(process.execPath, args, { cwd: root, encoding: "utf8" }));
}

test("the module loads nothing but typeorm, uuidv7 and node:crypto", () => {
  const requests = afterImporting("requests.filter((request) => !request.startsWith('.'))") as string[];
  expect([...new Set(requests)].toSorted()).toEqual(["node:crypto", "typeorm", "uuidv7"]);
});

test("importing the module opens nothing", () => {
  const open = afterImporting("process.getActiveResourcesInfo()") as string[];
  const ofTsx = ["CloseReq", "ConnectWrap", "MessagePort", "PipeWrap"]; // They come and go by themselves.
  expect(open.filter((resource) => !ofTsx.includes(resource))).toEqual([]);
});

test("the module exports its public surface, and nothing else", () => {
  expect(afterImporting("Object.keys(imported).sort()")).toEqual([
    "CreateTaskRunState1795305600000",
    "InvalidUuidError",
    "StateType",
    "TERMINAL_STATE_TYPES",
    "TaskRunState",
    "TaskRunStateService",
    "assertUuid",
    "migrations",
    "pruneTaskRunStates",
    "readLatestTaskRunStates",
    "recordTaskRunState",
    "recordTaskRunStates",
    "withPreparedStatements",
  ]);
});
