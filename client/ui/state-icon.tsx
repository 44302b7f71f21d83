/**
 * One icon for each state of an update: hollow while it is under way, solid where something was settled; only failure has corners. Outlines
 * are lucide's, solid ones ours. They stand once in the page, and each use refers to them.
 */
import Ban from 'lucide-solid/icons/ban';
import CircleArrowDown from 'lucide-solid/icons/circle-arrow-down';
import CircleDashed from 'lucide-solid/icons/circle-dashed';
import Minus from 'lucide-solid/icons/minus';
import RefreshCw from 'lucide-solid/icons/refresh-cw';
import ShieldCheck from 'lucide-solid/icons/shield-check';
import { For } from 'solid-js';
import type { Component, JSX } from 'solid-js';
import type { UpdateState } from '../live/graphql.ts';

/** Of lucide's 24 units; 1.5 px at the size of a row's text. */
const STROKE = 2.5;

const OUTLINES = {
  NONE: Minus,
  QUEUED: CircleDashed,
  DOWNLOADING: CircleArrowDown,
  VERIFIED: ShieldCheck,
  UPDATING: RefreshCw,
  CANCELED: Ban,
} as const satisfies Partial<Record<UpdateState, Component<{ 'stroke-width'?: number }>>>;

/** Paths of 16 × 16 units. */
const SOLIDS = {
  DOWNLOADED:
    'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2Zm-.8 3.3v4.6L5.7 7.6 4.6 8.7 8 12l3.4-3.3-1.1-1.1-1.5 1.5V4.5Z',
  UPDATED: 'M8 1.2a6.8 6.8 0 1 1 0 13.6A6.8 6.8 0 0 1 8 1.2Zm3 3.8L7 9.2 5.1 7.4 4 8.5l3 2.9 5.1-5.3Z',
  FAILED:
    'M5.2 1.2h5.6l4 4v5.6l-4 4H5.2l-4-4V5.2ZM5.3 6.4 6.9 8 5.3 9.6l1.1 1.1L8 9.1l1.6 1.6 1.1-1.1L9.1 8l1.6-1.6-1.1-1.1L8 6.9 6.4 5.3Z',
} as const satisfies Partial<Record<UpdateState, string>>;

export function StateSprite(): JSX.Element {
  return (
    <svg class="hidden" aria-hidden="true">
      <For each={Object.entries(OUTLINES)}>
        {([state, Outline]) => (
          <symbol id={idOf(state)} viewBox="0 0 24 24">
            <Outline stroke-width={STROKE} />
          </symbol>
        )}
      </For>
      <symbol id={idOf('INITIATED')} viewBox="0 0 16 16">
        {/* lucide's circle-dot, with a dot that is seen at this size. */}
        <circle cx="8" cy="8" r="6" fill="none" stroke="currentColor" stroke-width="1.6" />
        <circle cx="8" cy="8" r="2.3" fill="currentColor" />
      </symbol>
      <For each={Object.entries(SOLIDS)}>
        {([state, path]) => (
          <symbol id={idOf(state)} viewBox="0 0 16 16">
            <path fill="currentColor" fill-rule="evenodd" d={path} />
          </symbol>
        )}
      </For>
    </svg>
  );
}

/** Beside the state's word, never alone. */
export function StateIcon(props: { state: UpdateState; class?: string }): JSX.Element {
  return (
    <svg
      data-state={props.state}
      class={`size-3.5 flex-none ${props.state === 'NONE' ? 'text-ink-3' : 'text-state'} ${props.class ?? ''}`}
      aria-hidden="true"
    >
      <use href={`#${idOf(props.state)}`} />
    </svg>
  );
}

function idOf(state: string): string {
  return `state-${state.toLowerCase()}`;
}
