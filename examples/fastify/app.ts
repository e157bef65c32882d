import fastify, { type FastifyError } from "fastify";
import { InvalidUuidError, recordTaskRunState, StateType, TaskRunStateService } from "typeorm-task-run-state";

import dataSource from "./data-source.js";

const { manager } = await dataSource.initialize();
const service = new TaskRunStateService();
// Unless told otherwise, Ajv changes a body until it fits.
const app = fastify({
  logger: true,
  ajv: { customOptions: { coerceTypes: false, removeAdditional: false } },
});
app.removeContentTypeParser("text/plain"); // A body of another type than JSON answers 415.

const text = { type: "string", pattern: "^[^\\0\\p{Surrogate}]*$" }; // PostgreSQL stores all other text.
const type = { enum: Object.values(StateType) };
const newState = {
  type: "object",
  required: ["type"],
  additionalProperties: false,
  properties: { type, name: text, message: text },
};
// A time has no type here. With one, Fastify cuts the microseconds of docs/prefect.md to milliseconds.
const state = {
  type: "object",
  additionalProperties: true,
  properties: { id: { type: "string" }, timestamp: {} },
};
const states = { type: "array", items: state };

interface Id {
  Params: { id: string };
}

app.get<Id>("/states/:id", { schema: { response: { 200: state } } }, async ({ params }, reply) => {
  const found = await service.readTaskRunState(manager, params.id);
  return found ?? reply.code(404).send({ detail: "There is no such state." });
});

app.delete<Id>("/states/:id", async ({ params }, reply) => {
  const deleted = await service.deleteTaskRunState(manager, params.id);
  return deleted ? reply.code(204).send() : reply.code(404).send({ detail: "There is no such state." });
});

app.get<Id>("/task-runs/:id/states", { schema: { response: { 200: states } } }, async ({ params }) =>
  service.readTaskRunStates(manager, params.id),
);

app.post<Id & { Body: { type: StateType; name?: string; message?: string } }>(
  "/task-runs/:id/states",
  { schema: { body: newState, response: { 201: states } } },
  async ({ params, body }, reply) => {
    const history = await manager.transaction(async (manager) => {
      await recordTaskRunState(manager, { taskRunId: params.id, ...body });
      return service.readTaskRunStates(manager, params.id);
    });
    return reply.code(201).send(history);
  },
);

app.setErrorHandler<FastifyError>((error, request, reply) => {
  const { message: detail, statusCode = error instanceof InvalidUuidError ? 400 : 500 } = error;
  if (statusCode < 500) return reply.code(statusCode).send({ detail });
  request.log.error(error.stack); // Not all of the error: the rest holds the statement's values.
  return reply.code(500).send({ detail: "Internal Server Error" });
});

app.addHook("onClose", () => dataSource.destroy());
process.once("SIGTERM", () => app.close());
await app.listen({ port: Number(process.env.PORT ?? 3000) });
