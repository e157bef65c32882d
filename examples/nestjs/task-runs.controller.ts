import {
  Body,
  Controller,
  HttpStatus,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Post,
  ValidationPipe,
} from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";

import { setTaskRunState } from "../host/task-run.js";
import { NewStateDto } from "./new-state.dto.js";

const taskRunId = new ParseUUIDPipe({ errorHttpStatusCode: HttpStatus.NOT_FOUND });

const newState = new ValidationPipe({
  expectedType: NewStateDto, // Named, because tsx emits no types of parameters.
  errorHttpStatusCode: HttpStatus.UNPROCESSABLE_ENTITY,
  whitelist: true,
  forbidNonWhitelisted: true,
});

@Controller("api/task_runs")
export class TaskRunsController {
  constructor(@InjectEntityManager() private readonly manager: EntityManager) {}

  @Post(":id/states")
  async setState(@Param("id", taskRunId) id: string, @Body(newState) body: NewStateDto) {
    const state = await setTaskRunState(this.manager, id, body);
    if (!state) throw new NotFoundException("Task run not found");
    return { id: state.id };
  }
}
