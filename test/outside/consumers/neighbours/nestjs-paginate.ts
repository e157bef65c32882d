import "reflect-metadata";
import { deepEqual, equal, ok } from "node:assert/strict";
import { Controller, Get, Module } from "@nestjs/common";
import { NestFactory } from "@nestjs/core";
import { InjectDataSource, TypeOrmModule } from "@nestjs/typeorm";
import { Paginate, type Paginated, type PaginateQuery, PaginationType, paginate } from "nestjs-paginate";
import { DataSource } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { idsOnPages, options, recordSevenStates } from "./history.js";

@Controller()
class States {
  constructor(@InjectDataSource() private readonly dataSource: DataSource) {}

  @Get("by-offset")
  byOffset(@Paginate() query: PaginateQuery): Promise<Paginated<TaskRunState>> {
    return paginate(query, this.dataSource.getRepository(TaskRunState), {
      sortableColumns: ["timestamp", "id"],
      defaultSortBy: [
        ["timestamp", "ASC"],
        ["id", "ASC"],
      ],
      defaultLimit: 2,
    });
  }

  @Get("by-cursor")
  byCursor(@Paginate() query: PaginateQuery): Promise<Paginated<TaskRunState>> {
    return paginate(query, this.dataSource.getRepository(TaskRunState), {
      paginationType: PaginationType.CURSOR,
      sortableColumns: ["timestamp", "id"],
      defaultSortBy: [["timestamp", "ASC"]],
      defaultLimit: 2,
    });
  }
}

@Module({ imports: [TypeOrmModule.forRoot(options)], controllers: [States] })
class AppModule {}

const app = await NestFactory.create(AppModule, { logger: false });
await app.listen(0, "127.0.0.1");
const url = await app.getUrl();
const recorded = await recordSevenStates(app.get(DataSource));

const idsFrom = (path: string) =>
  idsOnPages(async (place = `${url}/${path}`) => {
    const { data, links } = (await (await fetch(place)).json()) as Paginated<TaskRunState>;
    return { ids: data.map(({ id }) => id), next: links.next };
  });

deepEqual(await idsFrom("by-offset"), recorded);
ok(new Set(await idsFrom("by-cursor")).size < recorded.length);
equal((await fetch(`${url}/by-cursor?sortBy=id:ASC`)).status, 500); // It compares the uuid with a number.
await app.close();
