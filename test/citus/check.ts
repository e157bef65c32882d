/** Runs one check and prints its outcome. After a failure the others still run, and the process fails in the end. */
export async function check(name: string, run: () => Promise<void>): Promise<void> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    await run();
    console.log(`ok      ${name} (${seconds()})`);
  } catch (error) {
    console.log(`FAILED  ${name} (${seconds()})\n${error instanceof Error ? error.message : error}`);
    process.exitCode = 1;
  }
}
