import express, { type ErrorRequestHandler, type Express } from "express";
import type { EntityManager } from "typeorm";
import { InvalidUuidError, TaskRunStateService } from "typeorm-task-run-state";

import { toAnswers } from "./answer";

/** The two routes by which Prefect's server answers reads of states. */
export function createApp(manager: EntityManager): Express {
  const service = new TaskRunStateService();
  const app = express();

  app.get("/api/task_run_states/:id", async ({ params }, response) => {
    const state = await service.readTaskRunState(manager, params.id);
    const [answer] = await toAnswers(manager, state ? [state] : []);
    if (answer) response.json(answer);
    else response.status(404).json({ detail: "Flow run state not found" }); // Prefect says "flow run" here.
  });

  app.get("/api/task_run_states/", async ({ query }, response) => {
    // The service refuses whatever else a client may have sent: nothing, or the parameter twice.
    const taskRunId = query.task_run_id as string;
    const states = await service.readTaskRunStates(manager, taskRunId);
    response.json(await toAnswers(manager, states));
  });

  app.use((_request, response) => response.status(404).json({ detail: "Not Found" }));
  app.use(answerError);
  return app;
}

/** As Prefect 3 does: a malformed id in the path is not found, a malformed query cannot be processed. */
const answerError: ErrorRequestHandler = (error, { query }, response, _next) => {
  if (!(error instanceof InvalidUuidError)) {
    // Only the stack: an error of the database also holds the values of the statement, which are a client's data.
    console.error(error.stack);
    response.status(500).json({ exception_message: "Internal Server Error" });
  } else if (error.parameter === "taskRunStateId") {
    response.status(404).json({ detail: "Not Found" });
  } else {
    const { task_run_id: input = null } = query;
    const fault =
      input === null
        ? { type: "missing", loc: ["query", "task_run_id"], msg: "Field required", input }
        : { type: "uuid_parsing", loc: ["query", "task_run_id"], msg: error.message, input };
    response.status(422).json({
      exception_message: "Invalid request received.",
      exception_detail: [fault],
      request_body: null,
    });
  }
};
