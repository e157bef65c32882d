import { setTimeout } from "node:timers/promises";

/**
 * Waits until the condition gives something that counts as true, and returns it. Fails when that takes longer than the
 * limit, or else at the test's timeout.
 */
export async function until<T>(
  condition: () => T | Promise<T>,
  limitMs = Number.POSITIVE_INFINITY,
): Promise<NonNullable<T>> {
  const start = performance.now();
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() - start > limitMs) throw new Error(`It did not come true within ${limitMs} ms`);
    await setTimeout(20);
  }
}
