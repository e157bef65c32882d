import { randomUUID } from "node:crypto";
import { join } from "node:path";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";
import { insertRecordedStates, recordedStates } from "../scripts/prefect/history";
import { type TestDataSource, useDatabase } from "./support/database";
import { record } from "./support/record";
import { run } from "./support/run";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

async function listedIds(taskRunId: string): Promise<string[]> {
  const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
  return states.map(({ id }) => id);
}

test("states list by time to the microsecond, whatever their ids and the order in which they arrive", async () => {
  const taskRunId = randomUUID();
  const states = recordedStates.slice(0, 10).map((state, index) => ({
    ...state,
    id: `00000000-0000-4000-8000-00000000000${9 - index}`,
    task_run_id: taskRunId,
    timestamp: `2026-11-22T10:53:01.70900${index}Z`,
  }));
  for (const state of states.toReversed()) await insertRecordedStates(dataSource.manager, [state]);
  expect(await listedIds(taskRunId)).toEqual(states.map(({ id }) => id));
});

test("states with the same timestamp list in the order in which they were inserted, on every read", async () => {
  const taskRunId = randomUUID();
  const timestamp = new Date("2026-11-22T10:53:01.709Z");
  const created = Array.from({ length: 20 }, () =>
    dataSource.manager.create(TaskRunState, { taskRunId, type: StateType.RUNNING, timestamp }),
  );
  await dataSource.manager.insert(TaskRunState, created);
  const order = created.map(({ id }) => id);
  await expectSameOrderOnEveryRead();

  // A row that is rewritten moves to another place in the table: an order that rested on the place would change.
  for (const id of order.slice(0, 10)) {
    await dataSource.manager.update(TaskRunState, { id }, { message: "rewritten" });
  }
  await expectSameOrderOnEveryRead();

  async function expectSameOrderOnEveryRead() {
    for (let read = 0; read < 5; read++) expect(await listedIds(taskRunId)).toEqual(order);
  }
});

test("states with the same timestamp list by id, whatever the order in which they arrive", async () => {
  const taskRunId = randomUUID();
  const timestamp = new Date("2026-11-22T10:53:01.709Z");
  const ids = ["b", "e", "a", "d", "c"].map((digit) => `00000000-0000-4000-8000-00000000000${digit}`);
  for (const id of ids) await record(dataSource.manager, { id, taskRunId, timestamp });
  expect(await listedIds(taskRunId)).toEqual(ids.toSorted());
});

test("states with the same timestamp that two processes record list by id, those of each process as it recorded them", async () => {
  const taskRunId = randomUUID();
  const script = join(__dirname, "support", "record-at-one-time.ts");
  const processes = [0, 1].map(() =>
    run(process.execPath, ["--import", "tsx", script, taskRunId], { env: { DATABASE_URL: database.url } }),
  );
  const recorded = (await Promise.all(processes.map(({ ended }) => ended))).map(({ output }) =>
    output.match(/\S+/g),
  );
  const listed = await listedIds(taskRunId);
  expect(listed).toHaveLength(40);
  expect(listed).toEqual(listed.toSorted());
  for (const ids of recorded) expect(listed.filter((id) => ids?.includes(id))).toEqual(ids);
});

test("states that one transaction records without a timestamp list in the order of recording", async () => {
  const taskRunId = randomUUID();
  const types = Object.values(StateType);
  await dataSource.transaction(async (manager) => {
    for (const type of types) await record(manager, { taskRunId, type });
  });
  const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
  expect(states.map(({ type }) => type)).toEqual(types);
  const [{ distinct }] = await dataSource.query(
    "SELECT count(DISTINCT timestamp)::int AS distinct FROM task_run_state WHERE task_run_id = $1",
    [taskRunId],
  );
  expect(distinct).toBe(types.length);
});

test("states that one insert records without a timestamp list in the order of the insert", async () => {
  const taskRunId = randomUUID();
  const types = Object.values(StateType);
  const created = types.map((type) => dataSource.manager.create(TaskRunState, { taskRunId, type }));
  await dataSource.manager.insert(TaskRunState, created);
  const states = await service.readTaskRunStates(dataSource.manager, taskRunId);
  expect(states.map(({ type }) => type)).toEqual(types);
});

test("saving another column leaves the microseconds of a timestamp as they are", async () => {
  const [recorded] = recordedStates;
  await insertRecordedStates(dataSource.manager, recordedStates.slice(0, 1));
  const state = await service.readTaskRunState(dataSource.manager, recorded?.id ?? "");
  await dataSource.manager.save(Object.assign(state ?? {}, { message: "changed" }));
  const [row] = await dataSource.query(
    `SELECT message, timestamp = $1::timestamptz AS same FROM task_run_state WHERE id = $2`,
    [recorded?.timestamp, recorded?.id],
  );
  expect(row).toEqual({ message: "changed", same: true });
});
