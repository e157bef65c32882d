import {
  Body,
  Controller,
  NotFoundException,
  Param,
  Post,
  Query,
  UnprocessableEntityException,
} from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { isNewState, isUuid, NEW_STATE_EXPECTED } from "../host/http.js";
import { TaskRun } from "../host/task-run.entity.js";

@Controller("api/task_runs")
export class TaskRunsController {
  constructor(@InjectEntityManager() private readonly manager: EntityManager) {}

  @Post(":id/states")
  async setState(@Param("id") id: string, @Body() body: unknown, @Query("fail") fail: string) {
    if (!isUuid(id)) throw new NotFoundException("Task run not found");
    if (!isNewState(body)) throw new UnprocessableEntityException(NEW_STATE_EXPECTED);
    const state = await this.manager.transaction(async (manager) => {
      const { affected } = await manager.update(TaskRun, { id }, { currentState: body.type });
      if (affected === 0) throw new NotFoundException("Task run not found");
      const state = await manager.save(manager.create(TaskRunState, { ...body, taskRunId: id }));
      if (fail === "after-history") throw new Error("Failed after the history, as asked");
      return state;
    });
    return { id: state.id };
  }
}
