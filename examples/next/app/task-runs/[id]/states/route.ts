import { recordTaskRunState, StateType, TaskRunStateService } from "typeorm-task-run-state";
import { z } from "zod";

import { answer, readJson, refusal } from "../../../../http";

type Context = { params: Promise<{ id: string }> };
const service = new TaskRunStateService();
const text = z.string().regex(/^[^\0\p{Surrogate}]*$/u); // PostgreSQL stores all other text.
const newState = z.strictObject({ type: z.enum(StateType), name: text.optional(), message: text.optional() });

export const GET = (_request: Request, { params }: Context): Promise<Response> =>
  answer(async (manager) => Response.json(await service.readTaskRunStates(manager, (await params).id)));

export const POST = (request: Request, { params }: Context): Promise<Response> =>
  answer(async (manager) => {
    const { id: taskRunId } = await params;
    const { data: state, error } = newState.safeParse(await readJson(request));
    if (error) return refusal(400, z.prettifyError(error));
    const states = await manager.transaction(async (manager) => {
      await recordTaskRunState(manager, { taskRunId, ...state });
      return service.readTaskRunStates(manager, taskRunId);
    });
    return Response.json(states, { status: 201 });
  });
