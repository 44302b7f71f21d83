import type { FleetSummary } from '../live/fleet-summary.ts';
import { all, whole } from './words.ts';

/** "12 more failed and 30 more updated." Pure; '' where nothing was settled. */
export function newsOf(before: Pick<FleetSummary, 'counts'>, after: Pick<FleetSummary, 'counts'>): string {
  const more = (state: 'FAILED' | 'UPDATED', word: string): string[] => {
    const count = after.counts[state] - before.counts[state];
    return count > 0 ? [`${whole(count)} more ${word}`] : [];
  };
  const news = [...more('FAILED', 'failed'), ...more('UPDATED', 'updated')];
  return news.length === 0 ? '' : `${all(news)}.`;
}
