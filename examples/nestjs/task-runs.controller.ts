import {
  Body,
  Controller,
  Get,
  HttpStatus,
  Inject,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  ValidationPipe,
} from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

import { setTaskRunState } from "../host/task-run.js";
import { NewStateDto } from "./new-state.dto.js";

const taskRunId = new ParseUUIDPipe({ errorHttpStatusCode: HttpStatus.NOT_FOUND });

const newState = new ValidationPipe({
  expectedType: NewStateDto, // Named, because tsx emits no types of parameters.
  errorHttpStatusCode: HttpStatus.UNPROCESSABLE_ENTITY,
  whitelist: true,
  forbidNonWhitelisted: true,
});

@Controller("task-runs")
export class TaskRunsController {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    @Inject(TaskRunStateService) private readonly service: TaskRunStateService,
  ) {}

  @Get(":id/states")
  list(@Param("id") id: string) {
    return this.service.readTaskRunStates(this.manager, id);
  }

  @Post(":id/states")
  async setState(@Param("id", taskRunId) id: string, @Body(newState) body: NewStateDto) {
    const state = await setTaskRunState(this.manager, id, body);
    if (!state) throw new NotFoundException("There is no such task run.");
    return state;
  }
}
