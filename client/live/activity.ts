/** What went by: changes in the last minute, and those that a lost connection has kept from us. */
import { createEffect, createMemo, createSignal, on, onCleanup } from 'solid-js';
import type { Accessor } from 'solid-js';
import { now } from './clock.ts';
import type { Standing } from './connection.ts';

const MINUTE_MS = 60_000;
/** Batches come every 100 ms while there is news and faster while there is much to catch up with: a lull ends it, or this. */
const LULL_MS = 250;
const CATCH_UP_MAX_MS = 2_000;
const SAID_FOR_MS = 6_000;

export interface Recent {
  readonly count: number;
  /** The page has looked on for a minute; else for as long as it is open. */
  readonly isMinute: boolean;
}

/** @param count ever growing */
export function useRecentChanges(count: Accessor<number>): Accessor<Recent> {
  const counts: { readonly at: number; readonly count: number }[] = [];
  let isMinute = false;
  return createMemo(
    on(now, (at) => {
      counts.push({ at, count: count() });
      while ((counts[0]?.at ?? at) < at - MINUTE_MS) {
        counts.shift();
        isMinute = true;
      }
      return { count: count() - (counts[0]?.count ?? 0), isMinute };
    }),
  );
}

/** @returns for a while after a lost connection is back: the changes since it was lost; else null */
export function useCaughtUp(standing: Accessor<Standing>, count: Accessor<number>): Accessor<number | null> {
  const [caughtUp, setCaughtUp] = createSignal<number | null>(null);
  let countAtLoss: number | null = null;
  createEffect(
    on(standing, ({ kind }) => {
      if (kind === 'lost') {
        countAtLoss ??= count();
        setCaughtUp(null);
      }
      if (kind !== 'live' || countAtLoss === null) return;
      const since = countAtLoss;
      let looks = 0;
      let last = count();
      let silence: ReturnType<typeof setTimeout> | undefined;
      const timer = setInterval(() => {
        looks += 1;
        if (count() !== last && looks * LULL_MS < CATCH_UP_MAX_MS) {
          last = count();
          return;
        }
        clearInterval(timer);
        countAtLoss = null;
        setCaughtUp(count() - since);
        silence = setTimeout(() => setCaughtUp(null), SAID_FOR_MS);
      }, LULL_MS);
      onCleanup(() => {
        clearInterval(timer);
        clearTimeout(silence);
      });
    }),
  );
  return caughtUp;
}
