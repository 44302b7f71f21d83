import type { JSX } from 'solid-js';
import { StateIcon } from './state-icon.tsx';

/** An act was refused: by which rule, and the way out. */
export function InlineError(props: { title: string; detail: string }): JSX.Element {
  return (
    <p class="flex gap-2 rounded-control border border-bad-line bg-bad-wash px-3 py-2 text-12 text-ink">
      <StateIcon state="FAILED" class="mt-0.5" />
      <span>
        <b class="font-strong">{props.title}</b> {props.detail}
      </span>
    </p>
  );
}
