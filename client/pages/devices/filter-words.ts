/** A filter as a sentence would say it. Pure. */
import type { DeviceFilter } from '../../live/device-list.ts';
import type { UpdateState } from '../../live/graphql.ts';
import { IN_FLIGHT, STATE_WORD } from '../../live/update-state.ts';
import { either } from '../../ui/words.ts';

/** "in flight or failed" */
export function statesInWords(states: readonly UpdateState[]): string {
  const isAllInFlight = IN_FLIGHT.every((state) => states.includes(state));
  const single = states.filter((state) => !isAllInFlight || !(IN_FLIGHT as readonly UpdateState[]).includes(state));
  return either([...(isAllInFlight ? ['in flight'] : []), ...single.map((state) => STATE_WORD[state].toLowerCase())]);
}

/** "State is failed and the name has “oslo”." */
export function filterInWords({ states, search }: DeviceFilter): string {
  const words = [
    ...(states === null ? [] : [`state is ${statesInWords(states)}`]),
    ...(search === '' ? [] : [`the name has “${search}”`]),
  ].join(' and ');
  return words === '' ? '' : `${words.charAt(0).toUpperCase()}${words.slice(1)}.`;
}
