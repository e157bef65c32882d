/** Runs one judge, and prints its outcome and what it counted. After a failure the others still judge. */
export async function judge(promise: string, run: () => Promise<string>): Promise<void> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const counts = await run();
    console.log(`ok      ${promise}: ${counts} (${seconds()})`);
  } catch (error) {
    console.log(`FAILED  ${promise} (${seconds()})\n${error instanceof Error ? error.stack : error}`);
    process.exitCode = 1;
  }
}
