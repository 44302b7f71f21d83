/** Housekeeping: what nobody needs any more goes. */
import type { Query } from '../domain/query.ts';
import type { LoopServices } from './enqueuer.ts';
import { Loop } from './loop.ts';

const SWEEP_EVERY_MS = 3_600_000;

/** Nodes that were away for longer read everything anew. */
const ENTITY_CHANGES_KEPT_MS = 24 * 3_600_000;

export interface SweepServices extends LoopServices {
  /** Frees package bytes that no package refers to, and what was left half received. */
  readonly sweepBytes: () => Promise<void>;
}

export function startSweeper({ clock, logger, transaction, sweepBytes }: SweepServices): Loop {
  const pass = async (): Promise<undefined> => {
    const now = clock.now();
    await transaction((query) => forget(query, new Date(now), new Date(now - ENTITY_CHANGES_KEPT_MS)));
    await sweepBytes();
  };
  return new Loop('sweeper', pass, SWEEP_EVERY_MS, logger);
}

async function forget(query: Query, now: Date, changesBefore: Date): Promise<void> {
  await query('DELETE FROM session WHERE expires_at < $1', [now]);
  // The newest stays whatever its age: the log's head is read from it at the start.
  await query('DELETE FROM entity_change WHERE changed_at < $1 AND seq < (SELECT max(seq) FROM entity_change)', [
    changesBefore,
  ]);
}
