import { Module } from "@nestjs/common";
import { TypeOrmModule } from "@nestjs/typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

import { options } from "./data-source.js";
import { errorFilters } from "./error.filters.js";
import { TaskRunsController } from "./task-runs.controller.js";
import { TaskRunsService } from "./task-runs.service.js";

@Module({
  imports: [TypeOrmModule.forRoot(options)],
  controllers: [TaskRunsController],
  providers: [TaskRunsService, TaskRunStateService, ...errorFilters],
})
export class AppModule {}
