/** Where something would be: what is missing or wrong, what is still right, what to do. */
import type { JSX } from 'solid-js';

export function Notice(props: { title: string; children: JSX.Element; acts?: JSX.Element }): JSX.Element {
  return (
    <div class="grid max-w-[108ch] gap-1 px-6 py-8 @max-desk:px-4">
      <h2 class="text-15 font-strong">{props.title}</h2>
      <div class="grid gap-3 text-ink-2 *:[p]:max-w-[62ch]">{props.children}</div>
      <div class="mt-3 flex flex-wrap gap-2 empty:hidden">{props.acts}</div>
    </div>
  );
}
