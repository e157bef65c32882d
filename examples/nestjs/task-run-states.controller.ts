import { Controller, Delete, Get, HttpCode, Inject, NotFoundException, Param, Query } from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

import { toJson } from "../host/to-json.js";

@Controller("api/task_run_states")
export class TaskRunStatesController {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    // Named, because tsx emits no types of parameters.
    @Inject(TaskRunStateService) private readonly service: TaskRunStateService,
  ) {}

  @Get(":id")
  async read(@Param("id") id: string) {
    const state = await this.service.readTaskRunState(this.manager, id);
    if (!state) throw new NotFoundException("State not found");
    return toJson(state);
  }

  /** The service refuses whatever else a client may have sent: nothing, or the parameter twice. */
  @Get()
  async list(@Query("task_run_id") taskRunId: string) {
    const states = await this.service.readTaskRunStates(this.manager, taskRunId);
    return states.map(toJson);
  }

  @Delete(":id")
  @HttpCode(204)
  async delete(@Param("id") id: string): Promise<void> {
    const deleted = await this.service.deleteTaskRunState(this.manager, id);
    if (!deleted) throw new NotFoundException("State not found");
  }
}
