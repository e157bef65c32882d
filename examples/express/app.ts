import express, { type ErrorRequestHandler, type Express } from "express";
import type { EntityManager } from "typeorm";
import { InvalidUuidError, StateType, TaskRunStateService } from "typeorm-task-run-state";
import { z } from "zod";

import { setTaskRunState } from "../host/task-run";
import { toJson } from "../host/to-json";

/** PostgreSQL stores every character but U+0000. */
const text = z.string().refine((value) => !value.includes("\0"), "must not contain the character U+0000");

const newState = z.strictObject({
  type: z.enum(StateType),
  name: text.exactOptional(),
  message: text.exactOptional(),
});

export function createApp(manager: EntityManager): Express {
  const service = new TaskRunStateService();
  const app = express();

  app.get("/api/task_run_states/:id", async (request, response) => {
    const state = await service.readTaskRunState(manager, request.params.id);
    if (state) response.json(toJson(state));
    else response.status(404).json({ detail: "State not found" });
  });

  app.get("/api/task_run_states/", async (request, response) => {
    // The service refuses whatever else a client may have sent: nothing, or the parameter twice.
    const taskRunId = request.query.task_run_id as string;
    const states = await service.readTaskRunStates(manager, taskRunId);
    response.json(states.map(toJson));
  });

  app.delete("/api/task_run_states/:id", async (request, response) => {
    const deleted = await service.deleteTaskRunState(manager, request.params.id);
    if (deleted) response.status(204).end();
    else response.status(404).json({ detail: "State not found" });
  });

  app.post("/api/task_runs/:id/states", express.json(), async (request, response) => {
    const taskRunId = z.guid().safeParse(request.params.id);
    const state =
      taskRunId.success && (await setTaskRunState(manager, taskRunId.data, newState.parse(request.body)));
    if (state) response.status(201).json({ id: state.id });
    else response.status(404).json({ detail: "Task run not found" });
  });

  app.use(answerError);
  return app;
}

const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  const { status, detail } = answerTo(error);
  // Only the stack: an error of the database also holds the values of the statement, which are a client's data.
  if (status === 500) console.error(error.stack);
  response.status(status).json({ detail });
};

function answerTo(error: Error & { status?: number }): { status: number; detail: string } {
  const { message: detail, status = 500 } = error;
  // As Prefect's server does: 404 for a malformed id in the path, 422 for one in the query.
  if (error instanceof InvalidUuidError) {
    return { status: error.parameter === "taskRunId" ? 422 : 404, detail };
  }
  if (error instanceof z.ZodError) return { status: 422, detail: z.prettifyError(error) };
  // Express sets a status when it cannot read a request, such as one whose body is not JSON.
  if (status < 500) return { status, detail };
  return { status: 500, detail: "Internal Server Error" };
}
