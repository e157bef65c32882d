import { deepStrictEqual } from "node:assert";
import { randomUUID } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { DataSource, EntityManager } from "typeorm";
import {
  pruneTaskRunStates,
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  StateType,
  TaskRunState,
  TaskRunStateService,
} from "typeorm-task-run-state";
import { type CitusLayout, SCHEMA_FOR_EACH_TENANT } from "../../../bench/lib/citus-layouts";
import { latestDistributed } from "../../../examples/engines/latest-distributed";
import { pruneDistributed } from "../../../examples/engines/prune-distributed";
import { check } from "../../../scripts/check";
import { insertRecordedStates, recordedRuns, recordedStates } from "../../../scripts/prefect/history";
import { drift } from "../../support/catalog";
import { collect } from "../../support/collect";
import { failureOf } from "../../support/failure-of";
import { fillHistories } from "../../support/fill";
import { type SessionOptions, withLayout } from "./with-layout";

const service = new TaskRunStateService();

/** A line for each thing that holds in the layout, each in a new schema. */
export async function checkLayout(coordinator: DataSource, layout: CitusLayout): Promise<void> {
  const inLayout = (
    what: string,
    work: (dataSource: DataSource) => Promise<void>,
    sessionOptions?: SessionOptions,
  ) => check(`${layout.name}: ${what}`, () => withLayout(coordinator, layout, work, sessionOptions));

  await inLayout(
    `migrates; TypeORM ${layout.hasOtherKey ? "wants its own key back" : "sees no drift"}`,
    async (dataSource) => {
      deepStrictEqual(await placementOf(dataSource), layout.placement);
      const changes = await drift(dataSource);
      if (layout.hasOtherKey)
        deepStrictEqual(changes.filter((sql) => sql.endsWith('PRIMARY KEY ("id")')).length, 1);
      else deepStrictEqual(changes, []);
    },
  );

  await inLayout(
    `${recordedStates.length} recorded states read by id, and list in order`,
    async ({ manager }) => {
      await insertRecordedStates(manager);
      for (const [taskRunId, states] of recordedRuns) {
        const listed = await service.readTaskRunStates(manager, taskRunId);
        deepStrictEqual(idsOf(listed), idsOf(states));
        for (const state of listed) deepStrictEqual(await service.readTaskRunState(manager, state.id), state);
      }
    },
  );

  await inLayout("records, lists, reads and deletes outside of a transaction", ({ manager }) =>
    useAll(manager),
  );

  await inLayout("likewise inside of one, and a rollback undoes it", async (dataSource) => {
    await dataSource.transaction(useAll);
    const rolledBack = dataSource.transaction(async (manager) => {
      await useAll(manager);
      throw new Error("rolled back");
    });
    deepStrictEqual(await failureOf(rolledBack), new Error("rolled back"));
    deepStrictEqual(await dataSource.manager.count(TaskRunState), 2);
  });

  await inLayout(
    "likewise with prepared statements, a hundred times",
    async (dataSource) => {
      for (let round = 0; round < 50; round++) {
        await useAll(dataSource.manager);
        await dataSource.transaction(useAll);
      }
    },
    { prepared: true },
  );

  await inLayout(
    layout.isSplit
      ? "manager.insert of many states: the instances get the ids of others, unless updateEntity(false)"
      : "manager.insert of many states",
    async ({ manager }) => {
      deepStrictEqual(await insertMany(manager, { updateEntity: true }), !layout.isSplit);
      deepStrictEqual(await insertMany(manager, { updateEntity: false }), true);
    },
  );

  await inLayout("recordTaskRunStates gives every state its own row back", async ({ manager }) => {
    const taskRunId = randomUUID();
    const names = Array.from({ length: 50 }, (_, index) => `state ${index}`);
    const recorded = await recordTaskRunStates(
      manager,
      names.map((name) => ({ id: randomUUID(), taskRunId, type: StateType.RUNNING, name })),
    );
    deepStrictEqual(
      recorded.map(({ name }) => name),
      names,
    );
    deepStrictEqual(await service.readTaskRunStates(manager, taskRunId), recorded);
  });

  await inLayout(
    `readLatestTaskRunStates ${layout.isSplit ? "is refused, and latestDistributed reads" : "reads"} the latest states`,
    async ({ manager }) => {
      await insertRecordedStates(manager);
      const taskRunIds = [...recordedRuns.keys()];
      const reading = readLatestTaskRunStates(manager, taskRunIds);
      if (layout.isSplit) {
        deepStrictEqual(errorOf(await failureOf(reading)), {
          code: "0A000",
          message: "cannot push down this subquery",
        });
      }
      const states = layout.isSplit
        ? await latestDistributed(manager, taskRunIds)
        : [...(await reading).values()];
      const latest = [...recordedRuns.values()].flatMap((states) => idsOf(states.slice(-1)));
      deepStrictEqual(idsOf(states).sort(), latest.sort());
    },
  );

  await inLayout("a rollback to a savepoint undoes a delete", async (dataSource) => {
    const [state] = await recordTwo(dataSource.manager);
    await dataSource.transaction(async (manager) => {
      const nested = manager.transaction(async (manager) => {
        deepStrictEqual(await service.deleteTaskRunState(manager, state.id), true);
        throw new Error("rolled back");
      });
      await failureOf(nested);
      deepStrictEqual(
        idsOf(await service.readTaskRunStates(manager, state.taskRunId)).includes(state.id),
        true,
      );
    });
    deepStrictEqual((await service.readTaskRunState(dataSource.manager, state.id))?.id, state.id);
  });

  if (layout.isSplit) {
    await inLayout("pruneTaskRunStates is refused, and pruneDistributed prunes", async ({ manager }) => {
      await fillHistories(manager, HISTORIES);
      deepStrictEqual(errorOf(await failureOf(collect(pruneTaskRunStates(manager, { before: BEFORE })))), {
        code: "0A000",
        message: "recursive CTEs are only supported when they contain a filter on the distribution column",
      });
      const states = [];
      do states.push(await pruneDistributed(manager, BEFORE, 60));
      while (states.at(-1) !== 0);
      deepStrictEqual(states, [300, 150, 0]);
      await assertPruned(manager);
    });
  } else {
    await inLayout("pruneTaskRunStates prunes", async ({ manager }) => {
      await fillHistories(manager, HISTORIES);
      const steps = await collect(pruneTaskRunStates(manager, { before: BEFORE, batch: 50 }));
      deepStrictEqual(steps.length, 4);
      await assertPruned(manager);
    });
  }

  await inLayout("reverts", async (dataSource) => {
    await recordTwo(dataSource.manager);
    if (layout.migration) {
      await dataSource.undoLastMigration();
      deepStrictEqual(await placementOf(dataSource), undefined);
      deepStrictEqual(await drift(dataSource), []);
      deepStrictEqual(await dataSource.manager.count(TaskRunState), 2);
    }
    await dataSource.undoLastMigration();
    deepStrictEqual(await leftovers(dataSource), []);
  });
}

/** The package's own migration, where the host's was not reverted before it. */
export async function checkRevertInOneStep(coordinator: DataSource, layout: CitusLayout): Promise<void> {
  await check(`${layout.name}, not undistributed first: reverts`, () =>
    withLayout(coordinator, layout, async (dataSource) => {
      await dataSource.query("DELETE FROM migrations WHERE id = 2");
      await recordTwo(dataSource.manager);
      await dataSource.undoLastMigration();
      deepStrictEqual(await leftovers(dataSource), []);
    }),
  );
}

/** Two tenants, each with a data source of its own. */
export async function checkTenants(coordinator: DataSource): Promise<void> {
  await check(`${SCHEMA_FOR_EACH_TENANT.name}: a tenant does not see another's states`, () =>
    withLayout(coordinator, SCHEMA_FOR_EACH_TENANT, async (one) => {
      await withLayout(coordinator, SCHEMA_FOR_EACH_TENANT, async (other) => {
        const [state] = await recordTwo(one.manager);
        deepStrictEqual(await service.readTaskRunState(other.manager, state.id), null);
        deepStrictEqual(await service.deleteTaskRunState(other.manager, state.id), false);
        deepStrictEqual((await service.readTaskRunState(one.manager, state.id))?.id, state.id);
      });
    }),
  );
}

/** Inserts fifty states in one statement. Returns whether the instances have their own ids afterwards, as the table does. */
async function insertMany(
  manager: EntityManager,
  { updateEntity }: { updateEntity: boolean },
): Promise<boolean> {
  const states = Array.from({ length: 50 }, (_, index) =>
    manager.create(TaskRunState, {
      id: randomUUID(),
      taskRunId: randomUUID(),
      type: StateType.RUNNING,
      name: `state ${index}`,
    }),
  );
  const given = states.map(({ id, name }) => ({ id, name }));
  const insert = manager.createQueryBuilder().insert().into(TaskRunState).values(states);
  await insert.updateEntity(updateEntity).execute();
  for (const { id, name } of given) {
    deepStrictEqual((await service.readTaskRunState(manager, id))?.name, name);
  }
  return isDeepStrictEqual(idsOf(states), idsOf(given));
}

/** Leaves two states of a new task run. */
async function useAll(manager: EntityManager): Promise<void> {
  const [pending, running] = await recordTwo(manager);
  const { taskRunId } = pending;
  const completed = await recordTaskRunState(manager, { taskRunId, type: StateType.COMPLETED });
  deepStrictEqual(completed, await service.readTaskRunState(manager, completed.id));
  const history = [pending.id, running.id, completed.id];
  deepStrictEqual(idsOf(await service.readTaskRunStates(manager, pending.taskRunId)), history);
  deepStrictEqual((await service.readTaskRunState(manager, running.id))?.name, "Running");
  deepStrictEqual(await service.deleteTaskRunState(manager, running.id), true);
  deepStrictEqual(await service.deleteTaskRunState(manager, running.id), false);
  deepStrictEqual(await service.readTaskRunState(manager, running.id), null);
  deepStrictEqual(idsOf(await service.readTaskRunStates(manager, pending.taskRunId)), [
    pending.id,
    completed.id,
  ]);
}

/** Two states with the same timestamp: they list in the order of their ids. */
async function recordTwo(manager: EntityManager): Promise<[TaskRunState, TaskRunState]> {
  const timestamp = new Date("2026-11-22T10:53:01.709Z");
  const given = { taskRunId: randomUUID(), timestamp };
  const states = await recordTaskRunStates(manager, [
    { ...given, type: StateType.PENDING },
    { ...given, type: StateType.RUNNING },
  ]);
  return states as [TaskRunState, TaskRunState];
}

const HISTORIES = { runs: 200, states: 5 };
/** Of the first 100 task runs 90 are finished by then. */
const BEFORE = new Date("2025-01-01T01:40:00Z");

async function assertPruned(manager: EntityManager): Promise<void> {
  const kept = "SELECT task_run_id AS id, count(*)::int AS states FROM task_run_state GROUP BY 1 ORDER BY 1";
  const expected = `SELECT md5('task run ' || run)::uuid AS id, 5 AS states FROM generate_series(0, 199) run
    WHERE run >= 100 OR run % 10 = 0 ORDER BY 1`;
  deepStrictEqual(await manager.query(kept), await manager.query(expected));
}

const idsOf = (states: { id: string }[]): string[] => states.map(({ id }) => id);

/** What there is to tell of an error of the database. */
function errorOf(error: unknown): { code: unknown; message: unknown } {
  const { code, message } = error as { code: unknown; message: unknown };
  return { code, message };
}

async function placementOf(dataSource: DataSource): Promise<CitusLayout["placement"]> {
  const [placement] = await dataSource.query(
    `SELECT citus_table_type AS type, distribution_column AS column FROM citus_tables
     WHERE table_name = to_regclass('task_run_state')`,
  );
  return placement;
}

/** The tables and types in the schema, but for TypeORM's own. */
async function leftovers(dataSource: DataSource): Promise<string[]> {
  const rows = await dataSource.query(
    `SELECT typname AS name FROM pg_type
     WHERE typnamespace = current_schema()::regnamespace AND typname !~ 'migrations'`,
  );
  return rows.map(({ name }: { name: string }) => name);
}
