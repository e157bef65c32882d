const { deepEqual, equal } = require("node:assert/strict");
const { randomUUID } = require("node:crypto");
const {
  readLatestTaskRunStates,
  recordTaskRunState,
  recordTaskRunStates,
  TaskRunState,
  TaskRunStateService,
} = require("typeorm-task-run-state");

const service = new TaskRunStateService();

/** Records a history, reads it in every way, and deletes its first state. It is copied beside each program of a driver. */
exports.useModule = async (manager) => {
  const taskRunId = randomUUID();
  const first = await recordTaskRunState(manager, { taskRunId, type: "PENDING", stateDetails: { retry: 1 } });
  const [last] = await recordTaskRunStates(manager, [{ taskRunId, type: "COMPLETED", data: ["é"] }]);
  deepEqual(await readLatestTaskRunStates(manager, [taskRunId]), new Map([[taskRunId, last]]));
  deepEqual(await service.readTaskRunState(manager, first.id), first);
  deepEqual(await service.readTaskRunStates(manager, taskRunId), [first, last]);
  deepEqual(await manager.findBy(TaskRunState, { taskRunId }), [first, last]);
  equal(await service.deleteTaskRunState(manager, first.id), true);
};
