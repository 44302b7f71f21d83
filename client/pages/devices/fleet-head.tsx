/** How the fleet is: a sentence, and the figures that it comes from. */
import { Show, createMemo } from 'solid-js';
import type { JSX } from 'solid-js';
import type { DeviceFilter } from '../../live/device-list.ts';
import { UNKNOWN } from '../../live/fleet-summary.ts';
import type { FleetSummary } from '../../live/fleet-summary.ts';
import { FleetCounters } from './fleet-counters.tsx';
import { verdictOf } from './verdict.ts';

/** Its place is kept until the figures are there, so that the list below does not jump. */
export function FleetHead(props: { summary: FleetSummary | null; filter: DeviceFilter }): JSX.Element {
  const shown = () => props.summary ?? UNKNOWN;
  const verdict = createMemo(() => verdictOf(shown()));
  return (
    <Show when={shown().deviceCount > 0}>
      <div class={props.summary === null ? 'invisible' : ''}>
        <section class="px-6 pt-4 pb-3.5 @max-desk:px-4" aria-labelledby="verdict">
          <h2
            id="verdict"
            class="figure text-24 font-strong tracking-[-.02em] text-balance @max-desk:text-[21px] @max-desk:leading-[26px]"
          >
            {verdict().sentence}
          </h2>
          <p class="min-h-5 text-ink-2">{verdict().rest}</p>
        </section>
        <FleetCounters summary={shown()} filter={props.filter} />
      </div>
    </Show>
  );
}
