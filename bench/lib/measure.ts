/** What a turn of calls gave. */
export interface Measurement {
  /** Calls a second. */
  throughput: number;
  /** CPU time of this process for a call, in microseconds. The server's is not included. */
  cpu: number;
  calls: number;
  /** How many states the calls gave, deleted or recorded. */
  states: number;
  /** The most memory that this process has held so far, in bytes. */
  peakMemory: number;
}

/**
 * Makes the calls with so many callers at once, until all are made or the time is over. It forces no garbage collection
 * first: that would throw away compiled code.
 */
export async function measure<T>(
  inputs: T[],
  callers: number,
  milliseconds: number,
  call: (input: T) => Promise<unknown>,
): Promise<Measurement> {
  const queue = inputs.values();
  let calls = 0;
  let states = 0;
  const cpuBefore = process.cpuUsage();
  const start = performance.now();
  const caller = async () => {
    for (const input of queue) {
      calls++;
      const answer = await call(input);
      states += count(answer);
      if (performance.now() - start > milliseconds) return;
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const elapsed = performance.now() - start;
  const { user, system } = process.cpuUsage(cpuBefore);
  return {
    throughput: (calls / elapsed) * 1000,
    cpu: (user + system) / calls,
    calls,
    states,
    peakMemory: process.resourceUsage().maxRSS * 1024,
  };
}

const count = (answer: unknown): number => (Array.isArray(answer) ? answer.length : answer ? 1 : 0);
