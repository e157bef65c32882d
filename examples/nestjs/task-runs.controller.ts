import {
  Body,
  type CanActivate,
  Controller,
  Delete,
  type ExecutionContext,
  Get,
  HttpCode,
  Inject,
  NotFoundException,
  Param,
  Post,
  UnsupportedMediaTypeException,
  UseGuards,
  ValidationPipe,
} from "@nestjs/common";
import type { TaskRunState } from "typeorm-task-run-state";

import { NewState } from "./new-state.dto.js";
import { TaskRunsService } from "./task-runs.service.js";

/** Nest passes over a body of another type. */
class JsonGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<{ is(type: string): string | false | null }>();
    if (request.is("json") === false) throw new UnsupportedMediaTypeException();
    return true;
  }
}

const newState = new ValidationPipe({ expectedType: NewState, whitelist: true, forbidNonWhitelisted: true });

@Controller()
export class TaskRunsController {
  constructor(@Inject(TaskRunsService) private readonly taskRuns: TaskRunsService) {}

  @Get("states/:id")
  async read(@Param("id") id: string): Promise<TaskRunState> {
    const state = await this.taskRuns.read(id);
    if (!state) throw new NotFoundException("There is no such state.");
    return state;
  }

  @Delete("states/:id")
  @HttpCode(204)
  async delete(@Param("id") id: string): Promise<void> {
    if (!(await this.taskRuns.delete(id))) throw new NotFoundException("There is no such state.");
  }

  @Get("task-runs/:id/states")
  list(@Param("id") id: string): Promise<TaskRunState[]> {
    return this.taskRuns.list(id);
  }

  @Post("task-runs/:id/states")
  @UseGuards(JsonGuard)
  record(@Param("id") id: string, @Body(newState) state: NewState): Promise<TaskRunState[]> {
    return this.taskRuns.record(id, state);
  }
}
