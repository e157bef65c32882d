import express, { type ErrorRequestHandler, type Express } from "express";
import type { EntityManager } from "typeorm";
import { TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { answerTo, isNewState, isUuid, NEW_STATE_EXPECTED, toJson } from "../host/http";
import { TaskRun } from "../host/task-run.entity";

class HttpError extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export function createApp(manager: EntityManager): Express {
  const service = new TaskRunStateService();
  const app = express();

  app.get("/api/task_run_states/:id", async (request, response) => {
    const state = await service.readTaskRunState(manager, request.params.id);
    if (!state) throw new HttpError(404, "State not found");
    response.json(toJson(state));
  });

  app.get("/api/task_run_states/", async (request, response) => {
    const taskRunId = request.query.task_run_id as string; // The service refuses whatever else a client sends.
    const states = await service.readTaskRunStates(manager, taskRunId);
    response.json(states.map(toJson));
  });

  app.delete("/api/task_run_states/:id", async (request, response) => {
    const deleted = await service.deleteTaskRunState(manager, request.params.id);
    if (!deleted) throw new HttpError(404, "State not found");
    response.status(204).end();
  });

  app.post("/api/task_runs/:id/states", express.json(), async ({ params: { id }, body, query }, response) => {
    if (!isUuid(id)) throw new HttpError(404, "Task run not found");
    if (!isNewState(body)) throw new HttpError(422, NEW_STATE_EXPECTED);
    const state = await manager.transaction(async (manager) => {
      const { affected } = await manager.update(TaskRun, { id }, { currentState: body.type });
      if (affected === 0) throw new HttpError(404, "Task run not found");
      const state = await manager.save(manager.create(TaskRunState, { ...body, taskRunId: id }));
      if (query.fail === "after-history") throw new Error("Failed after the history, as asked");
      return state;
    });
    response.status(201).json({ id: state.id });
  });

  app.use(() => {
    throw new HttpError(404, "Not Found");
  });
  app.use(answerError);
  return app;
}

const answerError: ErrorRequestHandler = (error, _request, response, _next) => {
  const { status, detail } = answerTo(error);
  // The stack alone: an error of the database also holds the statement's parameters, and so a client's data.
  if (status === 500) console.error(error.stack);
  response.status(status).json({ detail });
};
