/** Carries out the assignments of profiles: walks their devices, a slice a transaction. */
import type { Logger } from 'pino';
import type { Clock } from '../domain/ports.ts';
import type { Query } from '../domain/query.ts';
import { walkSlice } from '../domain/walk.ts';
import { Loop } from './loop.ts';

export interface LoopServices {
  readonly clock: Clock;
  readonly logger: Logger;
  /** One transaction on the writers' connections. */
  readonly transaction: <T>(act: (query: Query) => Promise<T>) => Promise<T>;
  readonly limits: { readonly loopIdleMs: number; readonly walkSliceMax: number };
}

export function startEnqueuer({ clock, logger, transaction, limits }: LoopServices): Loop {
  const pass = async (signal: AbortSignal): Promise<undefined> => {
    let isMore = true;
    while (isMore && !signal.aborted) {
      isMore = await transaction((query) => walkSlice(query, limits.walkSliceMax, new Date(clock.now())));
    }
  };
  return new Loop('enqueuer', pass, limits.loopIdleMs, logger);
}
