import { equal } from "node:assert/strict";
import { createRequire } from "node:module";
import { TaskRunState } from "typeorm-task-run-state";

/** Checks that `import` and `require` load one copy of the package, whichever of them this file is compiled to. */
export async function oneClass(): Promise<void> {
  const imported: typeof import("typeorm-task-run-state") = await import("typeorm-task-run-state");
  const required: typeof import("typeorm-task-run-state") = createRequire(`${process.cwd()}/main.js`)(
    "typeorm-task-run-state",
  );
  equal(imported.TaskRunState, TaskRunState);
  equal(required.TaskRunState, TaskRunState);
}
