import { Module } from "@nestjs/common";
import { APP_FILTER } from "@nestjs/core";
import { TypeOrmModule } from "@nestjs/typeorm";
import { migrations, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { CreateTaskRun1795219200000 } from "../host/1795219200000-CreateTaskRun.js";
import { TaskRun } from "../host/task-run.js";
import { InvalidUuidFilter } from "./invalid-uuid.filter.js";
import { QueryFailedFilter } from "./query-failed.filter.js";
import { TaskRunStatesController } from "./task-run-states.controller.js";
import { TaskRunsController } from "./task-runs.controller.js";

@Module({
  imports: [
    TypeOrmModule.forRoot({
      type: "postgres",
      url: process.env.DATABASE_URL ?? "postgres://localhost/postgres",
      autoLoadEntities: true,
      migrations: [CreateTaskRun1795219200000, ...migrations],
    }),
    TypeOrmModule.forFeature([TaskRun, TaskRunState]),
  ],
  controllers: [TaskRunStatesController, TaskRunsController],
  providers: [
    TaskRunStateService,
    { provide: APP_FILTER, useClass: InvalidUuidFilter },
    { provide: APP_FILTER, useClass: QueryFailedFilter },
  ],
})
export class AppModule {}
