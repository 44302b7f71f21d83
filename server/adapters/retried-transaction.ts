/** Transactions of management: one that lost a deadlock was rolled back for certain, and is done again. */
import type { Pool } from 'pg';
import { UnavailableError } from '../domain/errors.ts';
import type { Transaction } from '../domain/query.ts';
import { transaction } from './database.ts';
import { isPassing } from './passing-error.ts';

/** serialization_failure, deadlock_detected */
const ROLLED_BACK: ReadonlySet<unknown> = new Set(['40001', '40P01']);

const ATTEMPTS_MAX = 5;

export function retriedTransaction(pool: Pool): Transaction {
  return async (work) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await transaction(pool, work);
      } catch (error) {
        if (!isPassing(error)) throw error;
        const isRolledBack = error instanceof Error && 'code' in error && ROLLED_BACK.has(error.code);
        if (isRolledBack && attempt < ATTEMPTS_MAX) continue;
        throw new UnavailableError('The database is busy or away. See whether it was done, and try again.', {
          cause: error,
        });
      }
    }
  };
}
