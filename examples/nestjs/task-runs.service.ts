import { Inject, Injectable } from "@nestjs/common";
import { InjectEntityManager } from "@nestjs/typeorm";
import type { EntityManager } from "typeorm";
import { recordTaskRunState, type TaskRunState, TaskRunStateService } from "typeorm-task-run-state";

import type { NewState } from "./new-state.dto.js";

@Injectable()
export class TaskRunsService {
  constructor(
    @InjectEntityManager() private readonly manager: EntityManager,
    @Inject(TaskRunStateService) private readonly states: TaskRunStateService,
  ) {}

  read(id: string): Promise<TaskRunState | null> {
    return this.states.readTaskRunState(this.manager, id);
  }

  delete(id: string): Promise<boolean> {
    return this.states.deleteTaskRunState(this.manager, id);
  }

  list(taskRunId: string): Promise<TaskRunState[]> {
    return this.states.readTaskRunStates(this.manager, taskRunId);
  }

  /** Records a state and returns the whole history, in one transaction. */
  record(taskRunId: string, state: NewState): Promise<TaskRunState[]> {
    return this.manager.transaction(async (manager) => {
      await recordTaskRunState(manager, { taskRunId, ...state });
      return this.states.readTaskRunStates(manager, taskRunId);
    });
  }
}
