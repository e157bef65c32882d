import "reflect-metadata";
import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { instanceToPlain, plainToInstance } from "class-transformer";
import * as devalue from "devalue";
import superjson from "superjson";
import { recordTaskRunState, TaskRunState } from "typeorm-task-run-state";

import { connect, taskRunId } from "./history.js";

const dataSource = await connect();
const state = await recordTaskRunState(dataSource.manager, { taskRunId, type: "RUNNING" });

/** A date that shows microseconds in JSON, as docs/prefect.md has them. */
class PreciseDate extends Date {
  override toJSON(): string {
    return `${this.toISOString().slice(0, -1)}765Z`;
  }
}
state.timestamp = new PreciseDate(state.timestamp);
const iso = state.timestamp.toISOString();
const precise = state.timestamp.toJSON();

const isDate = (value: unknown) => ok(value instanceof Date && value.toJSON() === iso);
isDate(structuredClone(state).timestamp);
isDate(instanceToPlain(state).timestamp);
isDate(superjson.parse<TaskRunState>(superjson.stringify({ ...state })).timestamp);
equal(superjson.parse<TaskRunState>(superjson.stringify(state)).timestamp, precise);
isDate(devalue.parse(devalue.stringify({ ...state })).timestamp);
throws(() => devalue.stringify(state), { name: "DevalueError" });

// It takes from `design:type` what a property is.
const converted = plainToInstance(TaskRunState, JSON.parse(JSON.stringify(state)), {
  enableImplicitConversion: true,
});
deepEqual({ ...converted, timestamp: converted.timestamp.toJSON() }, { ...state, timestamp: iso });
await dataSource.destroy();
