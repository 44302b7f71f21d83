/** Every address of the pages, made and read in one place. A filter lives in its address. */
import type { DeviceFilter } from './live/device-list.ts';
import type { UpdateState } from './live/graphql.ts';
import { UPDATE_STATES, isUpdateState } from './live/update-state.ts';

export const DEVICES_PATH = '/devices';
export const SIGN_IN_PATH = '/sign-in';

/** What the search box takes; a longer name does not exist. */
export const SEARCH_CHARACTERS_MAX = 255;

export function devicesPath({ type = 'FIRMWARE', states = null, search = '' }: Partial<DeviceFilter> = {}): string {
  const query = [
    type === 'FIRMWARE' ? '' : 'type=software',
    states === null ? '' : `state=${states.map((state) => state.toLowerCase()).join(',')}`,
    search === '' ? '' : `search=${encodeURIComponent(search)}`,
  ].filter(Boolean);
  return query.length === 0 ? DEVICES_PATH : `${DEVICES_PATH}?${query.join('&')}`;
}

/** What an address does not say, or says wrongly, means all. */
export function readDeviceFilter(query: URLSearchParams): DeviceFilter {
  return {
    type: query.get('type') === 'software' ? 'SOFTWARE' : 'FIRMWARE',
    states: readStates(query.get('state')),
    search: (query.get('search') ?? '').trim().slice(0, SEARCH_CHARACTERS_MAX),
  };
}

function readStates(text: string | null): readonly UpdateState[] | null {
  const named = new Set((text ?? '').toUpperCase().split(',').filter(isUpdateState));
  return named.size === 0 ? null : UPDATE_STATES.filter((state) => named.has(state));
}

/** @param to where whoever signs in wanted to go */
export function signInPath(to: string): string {
  return to === '/' || to === DEVICES_PATH ? SIGN_IN_PATH : `${SIGN_IN_PATH}?to=${encodeURIComponent(to)}`;
}

/** Only a page of ours. */
export function readDestination(query: URLSearchParams, origin: string): string {
  const to = query.get('to');
  if (to === null || !URL.canParse(to, origin)) return DEVICES_PATH;
  const url = new URL(to, origin);
  return url.origin === origin ? `${url.pathname}${url.search}` : DEVICES_PATH;
}
