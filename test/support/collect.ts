import type { PruneStep } from "typeorm-task-run-state";

/** Takes the steps, all of them or the first so many. */
export async function collect(
  steps: AsyncGenerator<PruneStep>,
  count = Number.POSITIVE_INFINITY,
): Promise<PruneStep[]> {
  const taken: PruneStep[] = [];
  while (taken.length < count) {
    const { done, value } = await steps.next();
    if (done) break;
    taken.push(value);
  }
  return taken;
}
