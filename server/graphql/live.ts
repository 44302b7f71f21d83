/**
 * What keeps every subscription alive, and what ends it: its reader leaves, reads too slowly, or loses the right to be told. A
 * subscription is pulled, never pushed: nothing is gathered for a reader who does not ask.
 */
import type { Viewer } from '../domain/access.ts';
import { SlowConsumerError, UnauthenticatedError } from '../domain/errors.ts';
import type { Refusal } from '../domain/errors.ts';
import type { LogBatch } from '../domain/ports.ts';
import { isStillSo } from '../domain/session.ts';
import type { Context, Services } from './context.ts';

/** The longest that a timer of Node can wait. */
const TIMER_MAX_MS = 2 ** 31 - 1;

/**
 * An iterator over what `pull` answers; null is the end. Not an `async function*`, whose `return()` waits for the pending `next()`
 * and so leaks every reader who leaves while nothing happens.
 * @param pull asked for the next value when the last one was taken; it gives up when the signal aborts
 */
export function live<T>(
  context: Context,
  pull: (signal: AbortSignal) => Promise<T | null>,
): AsyncIterableIterator<T, undefined> {
  const { services, viewer } = context;
  if (viewer === null) throw new UnauthenticatedError();
  const stop = new AbortController();
  const stopped = new Promise<null>((resolve) =>
    stop.signal.addEventListener('abort', () => resolve(null), { once: true }),
  );
  let refusal: Refusal | null = null;
  const unwatch = watch(services, viewer, () => {
    refusal = new UnauthenticatedError('The session or key is no longer valid, or its rights have changed.');
    stop.abort();
  });
  const end = (): { done: true; value: undefined } => {
    unwatch();
    stop.abort();
    return { done: true, value: undefined };
  };
  const iterator: AsyncIterableIterator<T, undefined> = {
    async next() {
      try {
        const unread = context.unreadBytes?.() ?? 0;
        if (unread > services.limits.subscriberUnreadBytesMax) throw new SlowConsumerError();
        const value = stop.signal.aborted ? null : await Promise.race([pull(stop.signal), stopped]);
        if (refusal !== null) throw refusal;
        return value === null || stop.signal.aborted ? end() : { done: false, value };
      } catch (error) {
        refusal = null;
        end();
        throw error;
      }
    },
    async return() {
      return end();
    },
    async throw(error) {
      end();
      throw error;
    },
    [Symbol.asyncIterator]: () => iterator,
  };
  return iterator;
}

/** Calls back, once, when what the viewer was let in by is withdrawn, has changed or has expired. @returns how to stop watching */
function watch({ eventLog, query, clock, logger }: Services, viewer: Viewer, withdrawn: () => void): () => void {
  const { credential, userId } = viewer;
  const look = async (): Promise<void> => {
    try {
      if (!(await isStillSo(query, viewer, new Date(clock.now())))) withdrawn();
    } catch (error) {
      // Not known to be still so: whoever may go on will subscribe anew.
      logger.warn({ err: error }, 'a subscriber could not be looked up; the subscription ends');
      withdrawn();
    }
  };
  const concerns = ({ type, entityId }: LogBatch['changes'][number]): boolean =>
    (type === credential.type && entityId === credential.id) || (type === 'USER' && entityId === userId);
  const unlisten = eventLog.listen(({ changes }) => {
    if (changes.some(concerns)) void look();
  });
  let timer: NodeJS.Timeout | undefined;
  const untilExpiry = (): void => {
    if (credential.expiresAt === null) return;
    const left = credential.expiresAt.getTime() - clock.now();
    if (left <= 0) withdrawn();
    else timer = setTimeout(untilExpiry, Math.min(left, TIMER_MAX_MS)).unref();
  };
  untilExpiry();
  // What was withdrawn between letting in and listening was not heard.
  void look();
  return () => {
    unlisten();
    clearTimeout(timer);
  };
}

export async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
