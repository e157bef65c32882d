import "reflect-metadata";
import { deepEqual, equal } from "node:assert/strict";
import { ApolloDriver, type ApolloDriverConfig } from "@nestjs/apollo";
import { BadRequestException, Catch, Inject, InternalServerErrorException, Module } from "@nestjs/common";
import { APP_FILTER, NestFactory } from "@nestjs/core";
import {
  Args,
  Field,
  type GqlExceptionFilter,
  GraphQLModule,
  ID,
  ObjectType,
  Query,
  Resolver,
  registerEnumType,
} from "@nestjs/graphql";
import { InjectEntityManager, TypeOrmModule } from "@nestjs/typeorm";
import { GraphQLJSON } from "graphql-type-json";
import { EntityManager, QueryFailedError } from "typeorm";
import {
  InvalidUuidError,
  recordTaskRunState,
  StateType,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";

import { options, taskRunId } from "./history.js";

registerEnumType(StateType, { name: "StateType" });
Field(() => ID)(TaskRunState.prototype, "id");
Field()(TaskRunState.prototype, "timestamp");
Field(() => StateType)(TaskRunState.prototype, "type");
Field(() => GraphQLJSON)(TaskRunState.prototype, "stateDetails");
Field(() => GraphQLJSON, { nullable: true })(TaskRunState.prototype, "data");
ObjectType()(TaskRunState);

@Resolver()
class Histories {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    @Inject(TaskRunStateService) private readonly states: TaskRunStateService,
  ) {}

  @Query(() => [TaskRunState])
  history(@Args("taskRunId") taskRunId: string): Promise<TaskRunState[]> {
    return this.states.readTaskRunStates(this.manager, taskRunId);
  }
}

/** Without it the code is that of a fault of the server. */
@Catch(InvalidUuidError)
class InvalidUuidFilter implements GqlExceptionFilter {
  catch({ message }: InvalidUuidError): BadRequestException {
    return new BadRequestException(message);
  }
}

/** Without it the client learns the database's message. */
@Catch(QueryFailedError)
class QueryFailedFilter implements GqlExceptionFilter {
  catch(): InternalServerErrorException {
    return new InternalServerErrorException();
  }
}

@Module({
  imports: [
    TypeOrmModule.forRoot(options),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
  ],
  providers: [
    Histories,
    TaskRunStateService,
    { provide: APP_FILTER, useClass: InvalidUuidFilter },
    { provide: APP_FILTER, useClass: QueryFailedFilter },
  ],
})
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, "127.0.0.1");
const url = `${await app.getUrl()}/graphql`;
const ask = async (taskRunId: string) => {
  const query = `{ history(taskRunId: "${taskRunId}") { timestamp type stateDetails data } }`;
  const headers = { "content-type": "application/json" };
  const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
  return (await answer.json()) as {
    data?: { history: unknown };
    errors?: { message: string; extensions: { code: string } }[];
  };
};

const state = {
  type: "RUNNING",
  timestamp: "2026-11-22T10:53:01.198Z",
  stateDetails: { cache_key: "a" },
  data: [1, { a: null }],
} as const;
await recordTaskRunState(app.get(EntityManager), { taskRunId, ...state });
deepEqual((await ask(taskRunId)).data?.history, [state]);
equal((await ask("no id")).errors?.[0]?.extensions.code, "BAD_REQUEST");
await app.get(EntityManager).query("DROP TABLE task_run_state");
equal((await ask(taskRunId)).errors?.[0]?.message, "Internal Server Error");
await app.close();
