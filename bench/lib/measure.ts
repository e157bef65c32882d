export interface Measurement {
  /** Calls a second. */
  throughput: number;
  /** Microseconds of this process for a call; the server's are not among them. */
  cpu: number;
}

/**
 * Makes the calls, so many at a time. No collection of garbage is forced before them: it would throw away compiled
 * code that a library's next turn needs, and charge the larger libraries for it.
 */
export async function measure<T>(
  calls: T[],
  callers: number,
  make: (call: T) => Promise<unknown>,
): Promise<Measurement> {
  const queue = calls.values();
  const caller = async () => {
    for (const call of queue) await make(call);
  };
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return { throughput: (calls.length / elapsed) * 1000, cpu: (user + system) / calls.length };
}
