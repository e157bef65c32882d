import type { EntityManager } from "typeorm";

import { TaskRunState } from "../entities/task-run-state.entity";
import { withQueryRunner } from "./query-runner";
import { bind, statementsFor } from "./statements";

/**
 * Does what `manager.delete(TaskRunState, { id })` does: subscribers of `beforeRemove` and `afterRemove` are told, without
 * an entity, and outside of a transaction it goes to the primary.
 */
export function deleteTaskRunState(manager: EntityManager, id: string): Promise<boolean> {
  return withQueryRunner(manager, async (queryRunner) => {
    const metadata = manager.connection.getMetadata(TaskRunState);
    const statement = statementsFor(manager).delete;
    await queryRunner.broadcaster.broadcast("BeforeRemove", metadata);
    const { affected } = await queryRunner.query(statement.sql, bind(statement, id), true);
    await queryRunner.broadcaster.broadcast("AfterRemove", metadata);
    return affected === 1;
  });
}
