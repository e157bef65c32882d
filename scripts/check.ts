/**
 * Runs one check and prints its outcome, with what it returns if that is a text, such as what it counted. After a failure the others still
 * run, and the process fails in the end.
 */
export async function check(name: string, run: () => unknown): Promise<void> {
  const start = performance.now();
  const seconds = () => `${((performance.now() - start) / 1000).toFixed(1)} s`;
  try {
    const counts = await run();
    console.log(`ok      ${name}${typeof counts === "string" ? `: ${counts}` : ""} (${seconds()})`);
  } catch (error) {
    const { stdout = "", stack } = error as Error & { stdout?: string };
    console.log(`FAILED  ${name} (${seconds()})\n${stdout}${stack}`);
    process.exitCode = 1;
  }
}
