const { deepEqual, equal, ok } = require("node:assert/strict");
const { randomUUID } = require("node:crypto");

/** What `round-trip.ts` does, without types, on the modules as the caller has loaded them. */
exports.roundTrip = async (typeorm, taskRunState) => {
  const { InvalidUuidError, migrations, StateType, TaskRunState, TaskRunStateService } = taskRunState;
  const registered = typeorm.getMetadataArgsStorage().tables.filter(({ name }) => name === "task_run_state");
  deepEqual(
    registered.map(({ target }) => target),
    [TaskRunState],
  );

  const dataSource = new typeorm.DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL,
    entities: [TaskRunState],
    migrations,
  });
  await dataSource.initialize();
  const { manager } = dataSource;
  const service = new TaskRunStateService();
  const taskRunId = randomUUID();

  const executed = await dataSource.runMigrations();
  deepEqual(
    executed.map(({ name }) => name),
    ["CreateTaskRunState1795305600000"],
  );

  const stateDetails = { retriable: true, attempt: 1 };
  const saved = await manager.save(
    manager.create(TaskRunState, { taskRunId, type: StateType.PENDING, stateDetails }),
  );
  const later = [StateType.RUNNING, StateType.COMPLETED];
  await manager.insert(
    TaskRunState,
    later.map((type) => manager.create(TaskRunState, { taskRunId, type })),
  );

  const read = await service.readTaskRunState(manager, saved.id);
  ok(read instanceof TaskRunState);
  deepEqual({ ...read }, { ...saved });
  deepEqual(read.stateDetails, stateDetails);
  const states = await service.readTaskRunStates(manager, taskRunId);
  deepEqual(
    states.map(({ name }) => name),
    ["Pending", "Running", "Completed"],
  );

  equal(await service.deleteTaskRunState(manager, saved.id), true);
  equal(await service.readTaskRunState(manager, saved.id), null);
  const error = await service.readTaskRunState(manager, "7").catch((reason) => reason);
  ok(error instanceof InvalidUuidError);
  equal(error.parameter, "taskRunStateId");

  await dataSource.undoLastMigration();
  equal(await dataSource.createQueryRunner().hasTable("task_run_state"), false);
  await dataSource.destroy();
};
