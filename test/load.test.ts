import { randomInt, randomUUID } from "node:crypto";
import { join } from "node:path";
import type { EntityManager } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { connectionsInUse, useDatabase } from "./support/database";
import { failureOf } from "./support/failure-of";
import { run } from "./support/run";

/** LOAD_STATES and LOAD_READS set how much is written and read. */
const STATES = Number(process.env.LOAD_STATES ?? 50_000);
const READS = Number(process.env.LOAD_READS ?? 100_000);
const TASK_RUNS = 500;
const WRITERS = 16;
const READERS = 4;
const DELETERS = 4;
const BATCH = 25;

const database = useDatabase();
const service = new TaskRunStateService();

const times = <T>(count: number, make: () => T): T[] => Array.from({ length: count }, make);

function pick<T>(list: readonly T[]): T {
  const item = list[randomInt(list.length)];
  if (item === undefined) throw new RangeError("There is nothing to pick from.");
  return item;
}

test(
  `each of ${STATES} states that ${WRITERS} writers record while others list and delete is listed once and in order, unless deleted`,
  async () => {
    const dataSource = await database.connect({ poolSize: WRITERS, logging: false });
    const { manager } = dataSource;
    const taskRunIds = times(TASK_RUNS, randomUUID);
    const recorded: string[] = [];
    const deleted: string[] = [];
    let toWrite = STATES;

    // Half of the states get the time of their batch, so that many share a millisecond; the others the database's.
    const batchOf = (in_: EntityManager, timestamp = new Date()) =>
      times(BATCH, () =>
        in_.create(TaskRunState, {
          taskRunId: pick(taskRunIds),
          type: pick(Object.values(StateType)),
          ...(randomInt(2) === 1 && { timestamp }),
        }),
      );
    const write = async () => {
      while (toWrite > 0) {
        toWrite -= BATCH;
        const states = batchOf(manager);
        await pick([
          () => manager.insert(TaskRunState, states),
          () => manager.transaction((transaction) => transaction.insert(TaskRunState, states)),
        ])();
        recorded.push(...states.map(({ id }) => id));
      }
    };
    const list = async () => {
      while (toWrite > 0) {
        const states = await service.readTaskRunStates(manager, pick(taskRunIds));
        expect(new Set(states.map(({ id }) => id)).size).toBe(states.length);
      }
    };
    const remove = async () => {
      while (toWrite > 0) {
        const id = pick(recorded.length > 0 ? recorded : [randomUUID()]);
        const twice = times(2, () => service.deleteTaskRunState(manager, id));
        const answers = await Promise.all(twice);
        expect(answers.filter(Boolean).length).toBeLessThanOrEqual(1);
        if (answers.includes(true)) deleted.push(id);
      }
    };
    await Promise.all([...times(WRITERS, write), ...times(READERS, list), ...times(DELETERS, remove)]);
    expect(connectionsInUse(dataSource)).toEqual({ inUse: 0, waiting: 0 });

    expect(recorded).toHaveLength(STATES);
    expect(deleted.length).toBeGreaterThan(0);
    expect(new Set(deleted).size).toBe(deleted.length);
    const order = await orderInDatabase(manager);
    const listed: string[] = [];
    for (const taskRunId of taskRunIds) {
      const states = await service.readTaskRunStates(manager, taskRunId);
      expect(await service.readTaskRunStates(manager, taskRunId)).toEqual(states);
      const ids = states.map(({ id }) => id);
      expect(ids).toEqual(order.get(taskRunId) ?? []);
      listed.push(...ids);
    }
    const gone = new Set(deleted);
    expect(listed.sort()).toEqual(recorded.filter((id) => !gone.has(id)).sort());
  },
  60_000 + STATES * 2,
);

/** The ids of each task run by time to the microsecond, then by id. This process sorts them, not PostgreSQL. */
async function orderInDatabase(manager: EntityManager): Promise<Map<string, string[]>> {
  const rows: { id: string; run: string; microseconds: string }[] = await manager.query(`
    SELECT id, task_run_id AS run, (extract(epoch FROM timestamp) * 1000000)::bigint AS microseconds
    FROM task_run_state`);
  rows.sort((a, b) => Number(a.microseconds) - Number(b.microseconds) || (a.id < b.id ? -1 : 1));
  const order = new Map<string, string[]>();
  for (const { id, run } of rows) {
    const ids = order.get(run);
    if (ids) ids.push(id);
    else order.set(run, [id]);
  }
  return order;
}

test("one insert of TypeORM's takes 7,000 states with nine properties; 9,000 are refused with 08P01, and none is stored", async () => {
  const { manager } = await database.connect({ logging: false });
  const insert = async (count: number) => {
    const taskRunId = randomUUID();
    const given = { type: "RUNNING", timestamp: new Date(), message: "m", data: 1, name: "n" } as const;
    const states = times(count, () =>
      manager.create(TaskRunState, {
        ...given,
        taskRunId,
        id: randomUUID(),
        stateDetails: {},
        resultArtifactId: null,
      }),
    );
    const error = await failureOf(manager.insert(TaskRunState, states));
    return { error, stored: await manager.countBy(TaskRunState, { taskRunId }) };
  };
  expect(await insert(7_000)).toEqual({ error: undefined, stored: 7_000 });
  expect(await insert(9_000)).toEqual({
    error: expect.objectContaining({ driverError: expect.objectContaining({ code: "08P01" }) }),
    stored: 0,
  });
}, 60_000);

test(
  `memory stays flat over ${READS} reads`,
  async () => {
    await database.connect();
    const program = [
      "--expose-gc",
      "--import",
      "tsx",
      join(__dirname, "support/read-many.ts"),
      String(READS),
    ];
    const { output } = await run(process.execPath, program, { env: { DATABASE_URL: database.url } }).ended;
    const { before, after } = JSON.parse(output);
    expect(before).toBeGreaterThan(1_000_000);
    expect(after).toBeLessThan(before * 1.1);
  },
  60_000 + READS * 2,
);
