import type { JSX } from 'solid-js';

/** A key, shown beside what it does. */
export function Key(props: { children: JSX.Element }): JSX.Element {
  return (
    <kbd class="min-w-4 flex-none rounded-[3px] border border-line-strong px-1 text-center font-sans text-11 leading-[15px] text-ink-3 pointer-coarse:hidden">
      {props.children}
    </kbd>
  );
}
