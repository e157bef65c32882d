import { deepEqual, ok } from "node:assert/strict";
import { buildPaginator, Order, type PagingQuery } from "typeorm-cursor-pagination";
import { TaskRunState } from "typeorm-task-run-state";

import { connect, idsOnPages, recordSevenStates } from "./history.js";

const dataSource = await connect();
const recorded = await recordSevenStates(dataSource);

const idsBy = (paginationKeys: (keyof TaskRunState)[]) =>
  idsOnPages(async (afterCursor) => {
    const query: PagingQuery = { limit: 2, order: Order.ASC, ...(afterCursor && { afterCursor }) };
    const paginator = buildPaginator({ entity: TaskRunState, alias: "state", paginationKeys, query });
    const { data, cursor } = await paginator.paginate(dataSource.createQueryBuilder(TaskRunState, "state"));
    return { ids: data.map(({ id }) => id), next: cursor.afterCursor };
  });

// It reads the type of each key from `design:type`.
deepEqual(await idsBy(["id"]), recorded);
ok(new Set(await idsBy(["timestamp", "id"])).size < recorded.length);
await dataSource.destroy();
