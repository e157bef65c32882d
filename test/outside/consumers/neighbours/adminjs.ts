import { deepEqual, equal } from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { buildRouter } from "@adminjs/express";
import { Database, Resource } from "@adminjs/typeorm";
import { AdminJS } from "adminjs";
import express from "express";
import { BaseEntity } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

import { connect, recordSevenStates } from "./history.js";

Object.setPrototypeOf(TaskRunState, BaseEntity); // The adapter calls its static methods.
const dataSource = await connect();
const recorded = await recordSevenStates(dataSource);

AdminJS.registerAdapter({ Database, Resource });
const never = { isAccessible: false };
const actions = { new: never, edit: never, delete: never, bulkDelete: never };
const admin = new AdminJS({ resources: [{ resource: TaskRunState, options: { actions } }] });
const server = express().use(admin.options.rootPath, buildRouter(admin)).listen(0, "127.0.0.1");
await once(server, "listening");
const { port } = server.address() as AddressInfo;
const url = `http://127.0.0.1:${port}/admin/api/resources/TaskRunState`;

const list = `${url}/actions/list?sortBy=id&direction=asc&filters.type=RUNNING`;
const { records } = (await (await fetch(list)).json()) as { records: { id: string }[] };
deepEqual(
  records.map(({ id }) => id),
  recorded,
);
await fetch(`${url}/records/${recorded[0]}/delete`, { method: "POST" });
equal(await dataSource.manager.count(TaskRunState), 7);

server.close();
await dataSource.destroy();
