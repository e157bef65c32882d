import type { DataSource } from "typeorm";
import { TaskRunStateService } from "typeorm-task-run-state";

import { type Layout, layoutOf, layoutsAsText, measureLayouts } from "../../bench/lib/layouts";
import { grouped } from "../../bench/lib/text";
import { fillHistories } from "../support/fill";
import {
  BY_ID,
  BY_TASK_RUN,
  type CitusLayout,
  PLAIN,
  SCHEMA_FOR_EACH_TENANT,
  type SessionOptions,
  SINGLE_SHARD,
  withLayout,
} from "./layouts";

const service = new TaskRunStateService();
const HISTORIES = { runs: 3000, states: 10 };
const EFFORT = { rounds: 7, calls: 1000, milliseconds: 1000 };

const SHARDS_OF_THE_MIGRATIONS = 8;

/** What is measured: a layout, in so many shards, with such settings of the sessions. */
interface Measured {
  name: string;
  layout: CitusLayout;
  shards?: number;
  sessionOptions?: SessionOptions;
}

const ONE_CONNECTION = { settings: "-c citus.max_adaptive_executor_pool_size=1" };
const PREPARED = { prepared: true };

const MEASURED: Measured[] = [
  { name: PLAIN.name, layout: PLAIN },
  { name: SINGLE_SHARD.name, layout: SINGLE_SHARD },
  { name: SCHEMA_FOR_EACH_TENANT.name, layout: SCHEMA_FOR_EACH_TENANT },
  {
    name: `${SCHEMA_FOR_EACH_TENANT.name}, prepared`,
    layout: SCHEMA_FOR_EACH_TENANT,
    sessionOptions: PREPARED,
  },
  ...[BY_ID, BY_TASK_RUN].flatMap((layout) => [
    ...[2, 8, 32].map((shards) => ({ name: `${layout.name}, ${shards} shards`, layout, shards })),
    {
      name: `${layout.name}, 32 shards, one connection a worker`,
      layout,
      shards: 32,
      sessionOptions: ONE_CONNECTION,
    },
  ]),
];

/** Measures all layouts side by side. */
export async function printFigures(coordinator: DataSource): Promise<void> {
  const layouts: Layout[] = [];
  const measureFrom = async (index: number): Promise<void> => {
    const measured = MEASURED[index];
    if (!measured) return print(layouts);
    const { name, layout, shards, sessionOptions } = measured;
    const work = async (dataSource: DataSource) => {
      if (shards && shards !== SHARDS_OF_THE_MIGRATIONS) {
        await dataSource.query(`SELECT alter_distributed_table('task_run_state', shard_count => ${shards})`);
      }
      await fillHistories(dataSource.manager, HISTORIES);
      await dataSource.query("ANALYZE task_run_state");
      layouts.push(await layoutOf(name, dataSource, service));
      await measureFrom(index + 1);
    };
    await withLayout(coordinator, layout, work, sessionOptions);
  };
  await measureFrom(0);
}

async function print(layouts: Layout[]): Promise<void> {
  const { runs, states } = HISTORIES;
  console.log(`
Calls a second, medians of ${EFFORT.rounds} rounds; in brackets the median of the quotients with the plain table in the same round.
${grouped(runs * states)} states, ${states} to a task run; 16 callers, 8 connections. The plain table is on the coordinator.

${layoutsAsText(await measureLayouts(layouts, EFFORT))}`);
}
