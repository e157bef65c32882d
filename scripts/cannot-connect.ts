/** The sentence for a PostgreSQL that cannot be reached: why, and what to do. */
export function cannotConnect(error: unknown, advice: string): string {
  const { code, message } = error as NodeJS.ErrnoException;
  // When several addresses refused, Node.js gives a code and no message.
  return `Cannot connect to PostgreSQL (${message || code}): ${advice}`;
}
