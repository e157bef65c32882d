import { randomUUID } from "node:crypto";
import { Entity, type EntityManager, type InsertResult, ManyToOne, PrimaryColumn } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { drift } from "./support/catalog";
import { type TestDataSource, useDatabase } from "./support/database";
import { readPage } from "./support/documents";
import { failureOf } from "./support/failure-of";

const database = useDatabase();
const service = new TaskRunStateService();
let dataSource: TestDataSource;

beforeAll(async () => {
  dataSource = await database.connect();
});

type Given = Pick<TaskRunState, "taskRunId" | "type"> & Partial<TaskRunState>;
type Route = (manager: EntityManager, given: Given) => Promise<{ id: string }>;

const idOf = (result: InsertResult): { id: string } => ({ id: result.identifiers[0]?.id });

const withAnInstance: [string, Route][] = [
  [
    "manager.insert(TaskRunState, instance)",
    async (manager, given) => idOf(await manager.insert(TaskRunState, manager.create(TaskRunState, given))),
  ],
  ["manager.save(instance)", (manager, given) => manager.save(manager.create(TaskRunState, given))],
  [
    "repository.save(instance)",
    (manager, given) => {
      const repository = manager.getRepository(TaskRunState);
      return repository.save(repository.create(given));
    },
  ],
];

const withAPlainObject: [string, Route][] = [
  ["manager.save(TaskRunState, object)", (manager, given) => manager.save(TaskRunState, given)],
  [
    "manager.insert(TaskRunState, object)",
    async (manager, given) => idOf(await manager.insert(TaskRunState, given)),
  ],
  [
    'manager.upsert(TaskRunState, object, ["id"])',
    async (manager, given) => idOf(await manager.upsert(TaskRunState, given, ["id"])),
  ],
  ["repository.save(object)", (manager, given) => manager.getRepository(TaskRunState).save(given)],
  [
    "repository.insert(object)",
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).insert(given)),
  ],
  [
    'repository.upsert(object, ["id"])',
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).upsert(given, ["id"])),
  ],
  [
    "createQueryBuilder().insert().into(TaskRunState).values(object)",
    async (manager, given) =>
      idOf(await manager.createQueryBuilder().insert().into(TaskRunState).values(given).execute()),
  ],
];

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-([47])[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** The state as it is stored, once the route has told its id. */
async function recordBy(route: Route, given: Given) {
  const { id } = await route(dataSource.manager, given);
  const [state, ...others] = await service.readTaskRunStates(dataSource.manager, given.taskRunId);
  expect(others).toEqual([]);
  expect(state?.id).toBe(id);
  return state;
}

describe.each(withAnInstance)("%s", (_, route) => {
  test("fills in an id of version 7, a name and the time that a run is scheduled at", async () => {
    const state = await recordBy(route, { taskRunId: randomUUID(), type: StateType.SCHEDULED });
    expect(UUID.exec(state?.id ?? "")?.[1]).toBe("7");
    expect(state).toMatchObject({
      name: "Scheduled",
      timestamp: expect.any(Date),
      stateDetails: { scheduled_time: expect.any(String) },
    });
  });
});

describe.each(withAPlainObject)("%s", (_, route) => {
  test("fills in an id and what the table has a default for, and no scheduled time", async () => {
    const state = await recordBy(route, { taskRunId: randomUUID(), type: StateType.SCHEDULED, name: "Late" });
    expect(UUID.exec(state?.id ?? "")?.[1]).toBe("4");
    expect(state).toMatchObject({ name: "Late", timestamp: expect.any(Date), stateDetails: {}, data: null });
  });

  test("keeps an id that is given", async () => {
    const id = randomUUID();
    const state = await recordBy(route, {
      id,
      taskRunId: randomUUID(),
      type: StateType.RUNNING,
      name: "Running",
    });
    expect(state?.id).toBe(id);
  });

  test("needs a name, else the database refuses it and stores nothing", async () => {
    const taskRunId = randomUUID();
    await expect(route(dataSource.manager, { taskRunId, type: StateType.RUNNING })).rejects.toMatchObject({
      driverError: { code: "23502", column: "name" },
    });
    expect(await service.readTaskRunStates(dataSource.manager, taskRunId)).toEqual([]);
  });
});

/** The first words of the statements that the route sends, and the stored state. */
async function send(route: Route, given: Partial<Given>, manager: EntityManager = dataSource.manager) {
  const taskRunId = randomUUID();
  dataSource.statements.length = 0;
  await route(manager, { taskRunId, type: StateType.SCHEDULED, ...given });
  const sent = dataSource.statements.map((sql) => /^(START TRANSACTION|\w+)/.exec(sql)?.[0]);
  const [state] = await service.readTaskRunStates(manager, taskRunId);
  return { sent, state };
}

test("docs/recording.md lists every route, with what it fills in and the statements that it sends", async () => {
  const rows = [];
  for (const [name, route] of [...withAnInstance, ...withAPlainObject]) {
    const error = await failureOf(send(route, {}));
    const { sent, state } = await send(route, error ? { name: "Late" } : {});
    const filled = ["id", error ? "" : "name", state?.stateDetails.scheduled_time ? "scheduled_time" : ""];
    const listed = filled.filter(Boolean).map((property) => `\`${property}\``);
    rows.push(`| \`${name}\` | ${listed.join(", ")} | ${sent.join(", ")} |`);
  }
  const { text } = readPage("docs/recording.md");
  const [, table] =
    /\| route \| fills in \| sends \|\n\| --- \| --- \| --- \|\n((?:\|.*\n)+)/.exec(text) ?? [];
  expect(table?.trim().split("\n")).toEqual(rows);
});

describe.each([...withAnInstance, ...withAPlainObject].filter(([name]) => name.includes("save")))(
  "%s",
  (_, route) => {
    test("sends the INSERT alone in an open transaction, and first a SELECT where the id is given", async () => {
      await dataSource.transaction(async (manager) => {
        expect((await send(route, { name: "Late" }, manager)).sent).toEqual(["INSERT"]);
        expect((await send(route, { name: "Late", id: randomUUID() }, manager)).sent).toEqual([
          "SELECT",
          "INSERT",
        ]);
      });
    });
  },
);

@Entity()
class Note {
  @PrimaryColumn({ type: "int" })
  id!: number;

  @ManyToOne(() => TaskRunState)
  state!: TaskRunState;
}

describe("the default of the id", () => {
  const noted = useDatabase();

  test("leaves `synchronize` nothing to do, also where a host's entity refers to the id", async () => {
    const host = await noted.connect({ entities: [TaskRunState, Note] });
    expect((await drift(host)).join()).toContain("FOREIGN KEY");
    await host.synchronize();
    expect(await drift(host)).toEqual([]);
  });
});
