/** For those who do not see the rows: what became of the fleet, politely and summed up. */
import { createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { JSX } from 'solid-js';
import type { FleetSummary } from '../live/fleet-summary.ts';
import { newsOf } from './news.ts';

const SAY_EVERY_MS = 10_000;

export function Announcer(props: { summary: FleetSummary | null }): JSX.Element {
  const [said, setSaid] = createSignal('');
  createEffect(
    on(
      () => props.summary?.type,
      () => {
        let last = props.summary;
        const timer = setInterval(() => {
          const { summary } = props;
          if (last && summary) setSaid(newsOf(last, summary));
          last = summary;
        }, SAY_EVERY_MS);
        onCleanup(() => clearInterval(timer));
      },
    ),
  );
  return <output class="sr-only">{said()}</output>;
}
