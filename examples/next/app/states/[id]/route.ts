import { TaskRunStateService } from "typeorm-task-run-state";

import { answer, refusal } from "../../../http";

type Context = { params: Promise<{ id: string }> };
const service = new TaskRunStateService();

export const GET = (_request: Request, { params }: Context): Promise<Response> =>
  answer(async (manager) => {
    const state = await service.readTaskRunState(manager, (await params).id);
    return state ? Response.json(state) : refusal(404, "There is no such state.");
  });

export const DELETE = (_request: Request, { params }: Context): Promise<Response> =>
  answer(async (manager) => {
    const deleted = await service.deleteTaskRunState(manager, (await params).id);
    return deleted ? new Response(null, { status: 204 }) : refusal(404, "There is no such state.");
  });
