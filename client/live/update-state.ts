/** The states of an update in their order, and the words for them. */
import type { UpdateState } from './graphql.ts';

export const IN_FLIGHT = [
  'INITIATED',
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
] as const satisfies readonly UpdateState[];

/** The API's words, as people write them. */
export const STATE_WORD = {
  NONE: 'No update',
  QUEUED: 'Queued',
  INITIATED: 'Initiated',
  DOWNLOADING: 'Downloading',
  DOWNLOADED: 'Downloaded',
  VERIFIED: 'Verified',
  UPDATING: 'Updating',
  UPDATED: 'Updated',
  FAILED: 'Failed',
  CANCELED: 'Canceled',
} as const satisfies Record<UpdateState, string>;

export const UPDATE_STATES = Object.keys(STATE_WORD) as readonly UpdateState[];

export function isUpdateState(text: string): text is UpdateState {
  return Object.hasOwn(STATE_WORD, text);
}
