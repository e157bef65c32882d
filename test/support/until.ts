import { setTimeout } from "node:timers/promises";

/** Returns when the condition holds. A test that waits in vain fails at its timeout. */
export async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await setTimeout(20);
}
