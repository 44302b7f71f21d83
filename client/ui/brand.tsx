import type { JSX } from 'solid-js';

export function Brand(): JSX.Element {
  return (
    <span class="flex items-center gap-2 text-15 font-strong tracking-[-.01em]">
      <svg
        class="size-[18px]"
        viewBox="0 0 18 18"
        fill="none"
        stroke="currentColor"
        stroke-width="2"
        aria-hidden="true"
      >
        <path stroke-linecap="square" d="M2 15.5h14M3.5 11.5 9 6l5.5 5.5M6 5.5l3-3 3 3" />
      </svg>
      Aloft
    </span>
  );
}
