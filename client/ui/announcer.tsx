/** For those who do not see the rows: what became of the fleet, politely and summed up. */
import { createEffect, createSignal, on, onCleanup } from 'solid-js';
import type { JSX } from 'solid-js';
import type { FleetSummary } from '../live/fleet-summary.ts';
import { all, whole } from './words.ts';

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

/** "12 more failed and 30 more updated." Pure; '' where nothing was settled. */
export function newsOf(before: Pick<FleetSummary, 'counts'>, after: Pick<FleetSummary, 'counts'>): string {
  const more = (state: 'FAILED' | 'UPDATED', word: string): string[] => {
    const count = after.counts[state] - before.counts[state];
    return count > 0 ? [`${whole(count)} more ${word}`] : [];
  };
  const news = [...more('FAILED', 'failed'), ...more('UPDATED', 'updated')];
  return news.length === 0 ? '' : `${all(news)}.`;
}
