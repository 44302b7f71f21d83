/** Two transactions at once, in an order that a test decides. */
import { expect } from 'vitest';
import type { Query, Transaction } from '../../server/domain/query.ts';

/** A transaction that has done its work and holds its locks. */
export interface Uncommitted {
  commit(): Promise<void>;
  /** As if the process had died. */
  rollBack(): Promise<void>;
}

/** Returns when the work is done. */
export async function uncommitted(
  transact: Transaction,
  work: (query: Query) => Promise<unknown>,
): Promise<Uncommitted> {
  const end = gate<'commit' | 'roll back'>();
  const isDone = gate<void>();
  const outcome = transact(async (query) => {
    await work(query);
    isDone.open();
    if ((await end.opened) === 'roll back') throw new RolledBack();
  });
  await Promise.race([isDone.opened, outcome]);
  return {
    async commit() {
      end.open('commit');
      await outcome;
    },
    async rollBack() {
      end.open('roll back');
      await expect(outcome).rejects.toThrow(RolledBack);
    },
  };
}

/** Until a transaction of this database waits for another's lock. */
export async function someoneWaits(query: Query): Promise<void> {
  const waiting = `SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'`;
  await expect.poll(() => query(waiting, []), { timeout: 10_000 }).not.toHaveLength(0);
}

/** A promise and what resolves it. Promise.withResolvers is not in Node 20. */
export function gate<T>(): { readonly opened: Promise<T>; open(value: T): void } {
  let open: ((value: T) => void) | undefined;
  const opened = new Promise<T>((resolve) => {
    open = resolve;
  });
  return { opened, open: (value) => open?.(value) };
}

class RolledBack extends Error {}
