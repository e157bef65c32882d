import "reflect-metadata";
import { deepEqual } from "node:assert/strict";
import { Controller, Get, Inject, Module, NotFoundException, Param } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import {
  ApiOkResponse,
  ApiProperty,
  DocumentBuilder,
  type OpenAPIObject,
  SwaggerModule,
} from "@nestjs/swagger";
import { InjectEntityManager, TypeOrmModule } from "@nestjs/typeorm";
import { DataSource, type EntityManager } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { options, recordSevenStates } from "./history.js";

ApiProperty({ format: "uuid" })(TaskRunState.prototype, "id");
ApiProperty()(TaskRunState.prototype, "timestamp");
ApiProperty({ enum: StateType, enumName: "StateType" })(TaskRunState.prototype, "type");
ApiProperty({ type: String, nullable: true })(TaskRunState.prototype, "message");
ApiProperty()(TaskRunState.prototype, "stateDetails");

@Controller()
class States {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    @Inject(TaskRunStateService) private readonly states: TaskRunStateService,
  ) {}

  @Get("states/:id")
  @ApiOkResponse({ type: TaskRunState })
  async read(@Param("id") id: string): Promise<TaskRunState> {
    const state = await this.states.readTaskRunState(this.manager, id);
    if (!state) throw new NotFoundException();
    return state;
  }
}

@Module({
  imports: [TypeOrmModule.forRoot(options)],
  controllers: [States],
  providers: [TaskRunStateService],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
SwaggerModule.setup("docs", app, () => SwaggerModule.createDocument(app, new DocumentBuilder().build()));
await app.listen(0, "127.0.0.1");
const url = await app.getUrl();
const [id] = await recordSevenStates(app.get(DataSource));

const { components } = (await (await fetch(`${url}/docs-json`)).json()) as OpenAPIObject;
const { TaskRunState: documented, ...others } = (components?.schemas ?? {}) as Record<
  string,
  { properties?: object }
>;
deepEqual(documented?.properties, {
  id: { type: "string", format: "uuid" },
  timestamp: { type: "string", format: "date-time" },
  type: { allOf: [{ $ref: "#/components/schemas/StateType" }] },
  message: { type: "string", nullable: true },
  stateDetails: { type: "object" },
});
deepEqual(others, { StateType: { type: "string", enum: Object.keys(StateType) } });
const { timestamp, type } = (await (await fetch(`${url}/states/${id}`)).json()) as TaskRunState;
deepEqual({ timestamp, type }, { timestamp: "2026-11-22T10:53:01.198Z", type: "RUNNING" });
await app.close();
