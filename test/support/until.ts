import { setTimeout } from "node:timers/promises";

/** Returns when the condition holds; fails when that takes longer than the limit, or else at the test's timeout. */
export async function until(
  condition: () => Promise<boolean>,
  limitMs = Number.POSITIVE_INFINITY,
): Promise<void> {
  const start = performance.now();
  while (!(await condition())) {
    if (performance.now() - start > limitMs) throw new Error(`It did not come true within ${limitMs} ms`);
    await setTimeout(20);
  }
}
