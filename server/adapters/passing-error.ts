/** Which errors of the database pass by themselves, so that the same transaction may be tried again. */
import { UnavailableError } from '../domain/errors.ts';
import type { Query } from '../domain/query.ts';

/** SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html */
const PASSING_STATES: ReadonlySet<string> = new Set([
  '40001', // serialization_failure
  '40P01', // deadlock_detected
  '53300', // too_many_connections
  '55P03', // lock_not_available
  '57014', // query_canceled: statement_timeout
  '25P03', // idle_in_transaction_session_timeout
  '57P01', // admin_shutdown
  '57P02', // crash_shutdown
  '57P03', // cannot_connect_now
]);

/** Class 08: connection exceptions. */
const CONNECTION_CLASS = '08';

const PASSING_SYSTEM_ERRORS: ReadonlySet<string> = new Set([
  'ECONNREFUSED',
  'ECONNRESET',
  'ENOENT',
  'EPIPE',
  'ETIMEDOUT',
]);

/** What `pg` says without a code when a connection breaks or cannot be had. */
const PASSING_MESSAGES = [
  'Connection terminated',
  'Client has encountered a connection error and is not queryable',
  'timeout exceeded when trying to connect',
  'timeout expired',
];

export function isPassing(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  return (
    PASSING_STATES.has(code) ||
    code.startsWith(CONNECTION_CLASS) ||
    PASSING_SYSTEM_ERRORS.has(code) ||
    PASSING_MESSAGES.some((message) => error.message.startsWith(message))
  );
}

/** The same statement runner; what fails for a passing reason asks the caller to come again. */
export function orUnavailable(query: Query): Query {
  return async (text, values) => {
    try {
      return await query(text, values);
    } catch (error) {
      if (!isPassing(error)) throw error;
      throw new UnavailableError('The database is away. Try again soon.', { cause: error });
    }
  };
}
