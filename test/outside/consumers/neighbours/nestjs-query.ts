import "reflect-metadata";
import { deepEqual, ok } from "node:assert/strict";
import { ApolloDriver, type ApolloDriverConfig } from "@nestjs/apollo";
import { Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { GraphQLModule, ID, ObjectType } from "@nestjs/graphql";
import { TypeOrmModule } from "@nestjs/typeorm";
import {
  FilterableField,
  KeySet,
  NestjsQueryGraphQLModule,
  PagingStrategies,
} from "@ptc-org/nestjs-query-graphql";
import { NestjsQueryTypeOrmModule } from "@ptc-org/nestjs-query-typeorm";
import { DataSource } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { idsOnPages, options, recordSevenStates } from "./history.js";

@ObjectType()
class State {
  @FilterableField(() => ID)
  id!: string;

  @FilterableField()
  timestamp!: Date;
}

@ObjectType()
@KeySet(["timestamp", "id"])
class KeysetState extends State {}

const never = { disabled: true };
const reads = { EntityClass: TaskRunState, create: never, update: never, delete: never };

@Module({
  imports: [
    TypeOrmModule.forRoot(options),
    GraphQLModule.forRoot<ApolloDriverConfig>({ driver: ApolloDriver, autoSchemaFile: true }),
    NestjsQueryGraphQLModule.forFeature({
      imports: [NestjsQueryTypeOrmModule.forFeature([TaskRunState])],
      resolvers: [
        { ...reads, DTOClass: State, pagingStrategy: PagingStrategies.CURSOR },
        { ...reads, DTOClass: KeysetState, pagingStrategy: PagingStrategies.CURSOR },
      ],
    }),
  ],
})
class AppModule {}

interface Connection {
  edges: { node: { id: string } }[];
  pageInfo: { hasNextPage: boolean; endCursor: string };
}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, "127.0.0.1");
const url = `${await app.getUrl()}/graphql`;
const recorded = await recordSevenStates(app.get(DataSource));

const idsOf = (field: string) =>
  idsOnPages(async (after) => {
    const place = after ? `, after: "${after}"` : "";
    const sorting = "[{ field: timestamp, direction: ASC }, { field: id, direction: ASC }]";
    const query = `{
      ${field}(paging: { first: 2${place} }, filter: { timestamp: { gt: "2026-11-22T00:00:00Z" } }, sorting: ${sorting}) {
        edges { node { id } } pageInfo { hasNextPage endCursor }
      }
    }`;
    const headers = { "content-type": "application/json" };
    const answer = await fetch(url, { method: "POST", headers, body: JSON.stringify({ query }) });
    const { data } = (await answer.json()) as { data: Record<string, Connection> };
    const { edges = [], pageInfo } = data[field] ?? {};
    return { ids: edges.map(({ node }) => node.id), next: pageInfo?.hasNextPage ? pageInfo.endCursor : null };
  });

deepEqual(await idsOf("states"), recorded); // Its cursors are offsets.
ok(new Set(await idsOf("keysetStates")).size < recorded.length);
await app.close();
