/** The sentence with which the page opens: is anything wrong, and how far are we? Pure. */
import type { FleetSummary } from '../../live/fleet-summary.ts';
import type { UpdateState } from '../../live/graphql.ts';
import { IN_FLIGHT } from '../../live/update-state.ts';
import { all, counted, whole } from '../../ui/words.ts';

export interface Verdict {
  readonly sentence: string;
  /** What of the fleet the sentence leaves out; '' where that is nothing. */
  readonly rest: string;
}

export function verdictOf({ deviceCount, counts }: Pick<FleetSummary, 'deviceCount' | 'counts'>): Verdict {
  const inFlight = IN_FLIGHT.reduce((sum, state) => sum + counts[state], 0);
  const { QUEUED: queued, FAILED: failed, UPDATED: updated } = counts;
  const devices = (count: number): string => `${whole(count)} of ${counted(deviceCount, 'device')}`;
  const rest = (...states: UpdateState[]): string => restOf(counts, states);

  if (failed > 0) {
    const moving = inFlight > 0 ? `, ${whole(inFlight)} ${are(inFlight)} being updated` : '';
    return { sentence: `${devices(failed)} failed${moving}.`, rest: rest('QUEUED', 'UPDATED', 'CANCELED', 'NONE') };
  }
  if (inFlight > 0) {
    return {
      sentence: `${devices(inFlight)} ${are(inFlight)} being updated.`,
      rest: rest('QUEUED', 'UPDATED', 'CANCELED', 'NONE'),
    };
  }
  if (queued > 0) {
    return { sentence: `${devices(queued)} ${waits(queued)}.`, rest: rest('UPDATED', 'CANCELED', 'NONE') };
  }
  if (updated > 0) {
    const sentence =
      updated === deviceCount ? `${everyone(deviceCount)} updated.` : `${devices(updated)} ${are(updated)} updated.`;
    return { sentence, rest: rest('CANCELED', 'NONE') };
  }
  return { sentence: 'Nothing is being updated.', rest: rest('CANCELED', 'NONE') };
}

const REST: Partial<Record<UpdateState, (count: number) => string>> = {
  QUEUED: (count) => `${whole(count)} ${waits(count)}`,
  UPDATED: (count) => `${whole(count)} ${are(count)} updated`,
  CANCELED: (count) => `${whole(count)} ${count === 1 ? 'was' : 'were'} canceled`,
  NONE: (count) => `${whole(count)} never had an update`,
};

function restOf(counts: FleetSummary['counts'], states: readonly UpdateState[]): string {
  const words = states.filter((state) => counts[state] > 0).map((state) => REST[state]?.(counts[state]) ?? '');
  return words.length === 0 ? '' : `${all(words)}.`;
}

function are(count: number): string {
  return count === 1 ? 'is' : 'are';
}

function waits(count: number): string {
  return count === 1 ? 'waits its turn' : 'wait their turn';
}

function everyone(count: number): string {
  return count === 1 ? 'The one device is' : `All ${whole(count)} devices are`;
}
