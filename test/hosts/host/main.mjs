import { equal } from "node:assert/strict";
import { createRequire } from "node:module";
import * as typeorm from "typeorm";
import * as imported from "typeorm-task-run-state";
import { roundTrip } from "./round-trip.cjs";

const required = createRequire(import.meta.url)("typeorm-task-run-state");
equal(required.TaskRunState, imported.TaskRunState);
await roundTrip(typeorm, imported);
