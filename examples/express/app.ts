import express, { type ErrorRequestHandler, type Express, type RequestHandler, Router } from "express";
import type { EntityManager } from "typeorm";
import { InvalidUuidError, recordTaskRunState, StateType, TaskRunStateService } from "typeorm-task-run-state";
import { z } from "zod";

/** PostgreSQL stores all text but U+0000 and halves of surrogate pairs. */
const text = z.string().regex(/^[^\0\p{Surrogate}]*$/u);
const newState = z.strictObject({ type: z.enum(StateType), name: text.optional(), message: text.optional() });

export function createApp(manager: EntityManager): Express {
  const service = new TaskRunStateService();
  const routes = Router();

  routes.get("/states/:id", async ({ params }, response) => {
    const state = await service.readTaskRunState(manager, params.id);
    if (state) response.json(state);
    else response.status(404).json({ detail: "There is no such state." });
  });

  routes.delete("/states/:id", async ({ params }, response) => {
    const deleted = await service.deleteTaskRunState(manager, params.id);
    if (deleted) response.status(204).end();
    else response.status(404).json({ detail: "There is no such state." });
  });

  routes.get("/task-runs/:id/states", async ({ params }, response) => {
    response.json(await service.readTaskRunStates(manager, params.id));
  });

  routes.post("/task-runs/:id/states", json, express.json(), async ({ params, body }, response) => {
    const state = newState.parse(body);
    const states = await manager.transaction(async (manager) => {
      await recordTaskRunState(manager, { taskRunId: params.id, ...state });
      return service.readTaskRunStates(manager, params.id);
    });
    response.status(201).json(states);
  });

  return express().use(routes, answerError);
}

/** `express.json` alone passes over a body of another type. */
const json: RequestHandler<{ id: string }> = (request, response, next) => {
  if (request.is("json") === false) response.status(415).json({ detail: "The body must be JSON." });
  else next();
};

const answerError: ErrorRequestHandler = (error, _request, response, next) => {
  if (response.headersSent) return next(error);
  const { status, detail } = answerTo(error);
  if (status === 500) console.error(error.stack); // Not all of the error: the rest holds the statement's values.
  response.status(status).json({ detail });
};

function answerTo(error: Error & { status?: number }): { status: number; detail: string } {
  const { message: detail, status = 500 } = error;
  if (error instanceof InvalidUuidError) return { status: 400, detail };
  if (error instanceof z.ZodError) return { status: 400, detail: z.prettifyError(error) };
  // Express sets a status when it cannot read a request, such as one whose body is too large.
  return status < 500 ? { status, detail } : { status: 500, detail: "Internal Server Error" };
}
