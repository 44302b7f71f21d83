/** What a caught value tells: errors of Node and of PostgreSQL carry a code, and a message is wanted in one line. */

/** A system error's name (ENOENT) or a SQLSTATE (57P03). */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

/** One line. Connecting to a name with several addresses fails with an error for each, and no message of its own. */
export function messageOf(error: unknown): string {
  const first: unknown = error instanceof AggregateError ? error.errors[0] : error;
  return (first instanceof Error ? first.message : String(first)).replaceAll(/\s*\n\s*/g, ' ');
}
