/** An update rises from queued to updated: what Aloft is about, beside the form. */
import { For } from 'solid-js';
import type { JSX } from 'solid-js';
import type { UpdateState } from '../../live/graphql.ts';
import { IN_FLIGHT, STATE_WORD } from '../../live/update-state.ts';

const STATES: readonly UpdateState[] = ['QUEUED', ...IN_FLIGHT, 'UPDATED'];
const GROUND = 440;
const RISE = 358;
const ICON = 26;

export function PassagePicture(): JSX.Element {
  const x = (index: number): number => 60 + 97 * index;
  // Slow at first, then steeper: the square of the way.
  const top = (index: number): number => GROUND - 20 - RISE * (index / (STATES.length - 1)) ** 2;
  return (
    <svg
      class="h-auto w-full max-w-[700px]"
      viewBox="0 0 700 480"
      role="img"
      aria-label="An update rises from queued to updated"
    >
      <path stroke="var(--line-strong)" d={`M20 ${GROUND}H680`} />
      <For each={STATES}>
        {(state, index) => (
          <g data-state={state}>
            <path stroke="var(--line-strong)" d={`M${x(index())} ${GROUND}V${top(index())}`} />
            <use
              href={`#state-${state.toLowerCase()}`}
              class="text-state"
              x={x(index()) - ICON / 2}
              y={top(index()) - ICON - 4}
              width={ICON}
              height={ICON}
            />
            <text class="fill-ink-3 text-11" x={x(index())} y={GROUND + 18} text-anchor="middle">
              {STATE_WORD[state]}
            </text>
          </g>
        )}
      </For>
    </svg>
  );
}
