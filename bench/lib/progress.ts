/** Shows in a terminal what is going on, in a line that the next call replaces. */
export function progress(text: string): void {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${text}`);
}
