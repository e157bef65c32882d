import { DataSource, type EntityManager } from "typeorm";
import { TaskRunState } from "typeorm-task-run-state";

const CALLERS = 4;

/** Connects to DATABASE_URL, and lets some callers do the work again and again, until SIGTERM. */
export async function keepBusy(work: (manager: EntityManager) => Promise<void>): Promise<void> {
  const dataSource = new DataSource({
    type: "postgres",
    url: process.env.DATABASE_URL ?? "",
    entities: [TaskRunState],
  });
  const { manager } = await dataSource.initialize();
  let stopped = false;
  process.once("SIGTERM", () => {
    stopped = true;
  });
  const caller = async () => {
    while (!stopped) await work(manager);
  };
  await Promise.all(Array.from({ length: CALLERS }, caller));
  await dataSource.destroy();
}
