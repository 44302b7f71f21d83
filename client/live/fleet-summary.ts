/** How many devices are in which state, live. */
import { createEffect, createSignal, onCleanup } from 'solid-js';
import type { Accessor } from 'solid-js';
import { graphql } from './graphql.ts';
import type { PackageType, UpdateState } from './graphql.ts';
import { keepFollowing } from './keep-following.ts';
import { useLive } from './live-context.ts';
import { UPDATE_STATES } from './update-state.ts';

export interface FleetSummary {
  readonly type: PackageType;
  readonly deviceCount: number;
  readonly counts: Readonly<Record<UpdateState, number>>;
}

/** What takes the place of a summary that was not heard yet. Not to be shown. */
export const UNKNOWN: FleetSummary = {
  type: 'FIRMWARE',
  deviceCount: 1,
  counts: Object.fromEntries(UPDATE_STATES.map((state) => [state, 0])) as FleetSummary['counts'],
};

/** Figures that change faster cannot be read. */
const SHOW_EVERY_MS = 250;

const FleetSummarySubscription = graphql(`
  subscription FleetSummaryChanged($type: PackageType!) {
    fleetSummaryChanged(type: $type) {
      deviceCount
      states {
        state
        count
      }
    }
  }
`);

/** @returns null until the first was heard */
export function useFleetSummary(type: Accessor<PackageType>): Accessor<FleetSummary | null> {
  const { server } = useLive();
  const [summary, setSummary] = createSignal<FleetSummary | null>(null);
  createEffect(() => {
    const variables = { type: type() };
    const stop = new AbortController();
    const show = atMostEvery(SHOW_EVERY_MS, setSummary);
    onCleanup(() => {
      stop.abort();
      show.cancel();
    });
    void keepFollowing(server, FleetSummarySubscription, () => variables, stop.signal, {
      next: ({ fleetSummaryChanged: { deviceCount, states } }) => {
        const counts = Object.fromEntries(states.map(({ state, count }) => [state, count]));
        show({ ...variables, deviceCount, counts: counts as FleetSummary['counts'] });
      },
    });
  });
  return summary;
}

export function countOf(summary: FleetSummary, states: readonly UpdateState[]): number {
  return states.reduce((sum, state) => sum + summary.counts[state], 0);
}

/** Shows the first value at once and the last one always. */
function atMostEvery<T>(ms: number, show: (value: T) => void): { (value: T): void; cancel(): void } {
  let timer: ReturnType<typeof setTimeout> | undefined;
  let waiting: { value: T } | null = null;
  const next = (): void => {
    timer = undefined;
    if (waiting === null) return;
    show(waiting.value);
    waiting = null;
    timer = setTimeout(next, ms);
  };
  const request = (value: T): void => {
    waiting = { value };
    if (timer === undefined) next();
  };
  request.cancel = () => clearTimeout(timer);
  return request;
}
