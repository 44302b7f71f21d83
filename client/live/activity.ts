/** What went by: changes in the last minute, and those that a lost connection has kept from us. */
import { createEffect, createMemo, createSignal, on, onCleanup, untrack } from 'solid-js';
import type { Accessor } from 'solid-js';
import { now } from './clock.ts';
import type { Standing } from './connection.ts';

const MINUTE_MS = 60_000;
/** Batches come every 100 ms while there is news and faster while there is much to catch up with: a lull ends it, or this. */
const LULL_MS = 250;
const CATCH_UP_MAX_MS = 2_000;
const SAID_FOR_MS = 6_000;

/** What came of the log, ever growing. */
export interface Received {
  readonly batchCount: number;
  readonly eventCount: number;
}

export interface Recent {
  readonly count: number;
  /** The page has looked on for a minute; else for as long as it is open. */
  readonly isMinute: boolean;
}

export function useRecentChanges(received: Accessor<Received>): Accessor<Recent> {
  const counts: { readonly at: number; readonly count: number }[] = [];
  let isMinute = false;
  return createMemo(
    on(now, (at) => {
      const { eventCount } = received();
      counts.push({ at, count: eventCount });
      while ((counts[0]?.at ?? at) < at - MINUTE_MS) {
        counts.shift();
        isMinute = true;
      }
      return { count: eventCount - (counts[0]?.count ?? 0), isMinute };
    }),
  );
}

/** @returns for a while after a lost connection is back: the changes since it was lost; else null */
export function useCaughtUp(standing: Accessor<Standing>, received: Accessor<Received>): Accessor<number | null> {
  const [caughtUp, setCaughtUp] = createSignal<number | null>(null);
  let atLoss: Received | null = null;
  createEffect(
    on(standing, ({ kind }) => {
      if (kind === 'lost') {
        atLoss ??= received();
        setCaughtUp(null);
      }
      if (kind !== 'live' || atLoss === null) return;
      const since = atLoss;
      onCleanup(
        whenCaughtUp(received, since, ({ eventCount }) => {
          atLoss = null;
          setCaughtUp(eventCount - since.eventCount);
        }),
      );
    }),
  );
  createEffect(
    on(caughtUp, (count) => {
      if (count === null) return;
      const timer = setTimeout(() => setCaughtUp(null), SAID_FOR_MS);
      onCleanup(() => clearTimeout(timer));
    }),
  );
  return caughtUp;
}

/** The first batch comes at once, perhaps empty; whatever has to be caught up with comes right after it. @returns how to stop looking */
function whenCaughtUp(received: Accessor<Received>, since: Received, act: (now: Received) => void): () => void {
  let last: Received | null = null;
  let endAt = Number.POSITIVE_INFINITY;
  const timer = setInterval(() => {
    const latest = untrack(received);
    if (latest.batchCount === since.batchCount) return;
    endAt = Math.min(endAt, performance.now() + CATCH_UP_MAX_MS);
    const isLull = latest.eventCount === last?.eventCount;
    last = latest;
    if (!isLull && performance.now() < endAt) return;
    clearInterval(timer);
    act(latest);
  }, LULL_MS);
  return () => clearInterval(timer);
}
