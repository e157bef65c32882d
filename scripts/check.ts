/** Runs one check and prints its outcome. After a failure the others still run, and the process fails in the end. */
export async function check(name: string, run: () => unknown): Promise<void> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    await run();
    console.log(`ok      ${name} (${seconds()})`);
  } catch (error) {
    const { stdout = "", message } = error as Error & { stdout?: string };
    console.log(`FAILED  ${name} (${seconds()})\n${stdout}${message}`);
    process.exitCode = 1;
  }
}
