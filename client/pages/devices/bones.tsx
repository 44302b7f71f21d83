/** The table's true layout, for whoever has waited 300 ms. */
import { For } from 'solid-js';
import type { JSX } from 'solid-js';

/** Widths in px of a name and of a state: no two rows next to each other are alike. */
const ROWS = [118, 96, 124, 104, 132, 90, 118, 96, 124, 104, 132, 90].map((name, index) => ({
  name,
  state: 62 + 13 * (index % 3),
}));

export function Bones(): JSX.Element {
  return (
    <output class="block">
      <span class="sr-only">Reading the devices</span>
      <ul aria-hidden="true">
        <For each={ROWS}>
          {({ name, state }) => (
            <li class="flex h-(--row) items-center gap-11 border-b border-line px-6 @max-desk:h-15 @max-desk:px-4">
              <Bone width={name} />
              <Bone width={84} class="@max-desk:hidden" />
              <Bone width={40} class="@max-desk:hidden" />
              <Bone width={state} />
              <Bone width={104} class="h-1.5! @max-desk:hidden" />
            </li>
          )}
        </For>
      </ul>
    </output>
  );
}

function Bone(props: { width: number; class?: string }): JSX.Element {
  return (
    <span class={`h-2 flex-none rounded-bar bg-track ${props.class ?? ''}`} style={{ width: `${props.width}px` }} />
  );
}
