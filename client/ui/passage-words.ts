/** Where on its way an update is, and what is known beside its state. Pure. */
import type { Update } from '../live/device.ts';
import type { UpdateState } from '../live/graphql.ts';
import { IN_FLIGHT } from '../live/update-state.ts';
import { size, sizeOf } from './words.ts';

export const STATIONS: readonly UpdateState[] = [...IN_FLIGHT, 'UPDATED'];

/** What is known beside the state: bytes, or why it ended. */
export function passageWords(update: Update): string {
  const { state, result, reached, bytesServed, bytesTotal } = update;
  const all = bytesTotal === null ? '' : size(bytesTotal);
  if (state === 'CANCELED') return CANCELED_BECAUSE[result ?? 'CANCELED'] ?? '';
  if (state === 'FAILED' && reached !== 'DOWNLOADING') return FAILED_AT[reached ?? 'NONE'] ?? '';
  if (state === 'UPDATED') return result === 'ALREADY_CURRENT' ? 'ran it already' : all;
  if (state === 'QUEUED' || state === 'INITIATED') return '';
  if (state === 'DOWNLOADING' || state === 'FAILED') return bytesTotal === null ? '' : sizeOf(bytesServed, bytesTotal);
  return all;
}

const CANCELED_BECAUSE: Partial<Record<NonNullable<Update['result']>, string>> = {
  CANCELED: 'by an operator',
  SUPERSEDED: 'another came first',
  UNASSIGNED: 'no longer assigned',
};

const FAILED_AT: Partial<Record<UpdateState, string>> = {
  INITIATED: 'before the download',
  DOWNLOADED: 'after the download',
  VERIFIED: 'after the check',
  UPDATING: 'while updating',
};

/** Where it is; of what has ended, how far it had come. Before the first: -1. */
export function stationOf({ state, reached }: Update): number {
  return STATIONS.indexOf(state === 'FAILED' || state === 'CANCELED' ? (reached ?? 'NONE') : state);
}
