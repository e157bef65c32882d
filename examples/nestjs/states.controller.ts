import { Controller, Delete, Get, HttpCode, Inject, NotFoundException, Param } from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

@Controller("states")
export class StatesController {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    // Named, because tsx emits no types of parameters.
    @Inject(TaskRunStateService) private readonly service: TaskRunStateService,
  ) {}

  @Get(":id")
  async read(@Param("id") id: string) {
    const state = await this.service.readTaskRunState(this.manager, id);
    if (!state) throw new NotFoundException("There is no such state.");
    return state;
  }

  @Delete(":id")
  @HttpCode(204)
  async delete(@Param("id") id: string): Promise<void> {
    const deleted = await this.service.deleteTaskRunState(this.manager, id);
    if (!deleted) throw new NotFoundException("There is no such state.");
  }
}
