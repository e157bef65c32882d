export interface Measurement {
  /** Calls a second. */
  throughput: number;
  /** CPU time of this process for a call, in microseconds. The server's is not included. */
  cpu: number;
}

/**
 * Makes the calls with so many callers at once. It forces no garbage collection first: that would throw away
 * compiled code, which the larger libraries would then pay for.
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
