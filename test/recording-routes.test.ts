import { randomUUID } from "node:crypto";
import { Entity, type EntityManager, type InsertResult, ManyToOne, PrimaryColumn } from "typeorm";
import { StateType, TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import { drift } from "./support/catalog";
import { type TestDataSource, useDatabase } from "./support/database";

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
    "manager.upsert(TaskRunState, object)",
    async (manager, given) => idOf(await manager.upsert(TaskRunState, given, ["id"])),
  ],
  ["repository.save(object)", (manager, given) => manager.getRepository(TaskRunState).save(given)],
  [
    "repository.insert(object)",
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).insert(given)),
  ],
  [
    "repository.upsert(object)",
    async (manager, given) => idOf(await manager.getRepository(TaskRunState).upsert(given, ["id"])),
  ],
  [
    "createQueryBuilder().insert().values(object)",
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
