import { DataSource, type DataSourceOptions } from "typeorm";
import { migrations, recordTaskRunStates, TaskRunState } from "typeorm-task-run-state";

export const options: Extract<DataSourceOptions, { type: "postgres" }> = {
  type: "postgres",
  url: process.env.DATABASE_URL ?? "",
  entities: [TaskRunState],
  migrations,
  migrationsRun: true,
};

export const connect = (): Promise<DataSource> => new DataSource(options).initialize();

export const taskRunId = "1e11a41a-c634-4eb7-84df-c3953884f0c4";

/** Records seven states of one task run within one millisecond. Resolves to their ids, as they list. */
export async function recordSevenStates({ manager }: DataSource): Promise<string[]> {
  const times = Array.from({ length: 7 }, (_, place) => `2026-11-22T10:53:01.198${place}00Z`);
  const states = times.map((timestamp) => ({ taskRunId, type: "RUNNING" as const, timestamp }));
  return (await recordTaskRunStates(manager, states)).map(({ id }) => id);
}

/** Reads page after page, and no more than ten: some go round in circles. Resolves to the ids of all. */
export async function idsOnPages(
  read: (place: string | undefined) => Promise<{ ids: string[]; next: string | null | undefined }>,
): Promise<string[]> {
  const pages: string[][] = [];
  let place: string | undefined;
  do {
    const { ids, next } = await read(place);
    pages.push(ids);
    place = next ?? undefined;
  } while (place && pages.length < 10);
  return pages.flat();
}
