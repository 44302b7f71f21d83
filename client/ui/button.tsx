/** Buttons are verbs. At most one of a page is primary: what to do now. */
import { splitProps } from 'solid-js';
import type { JSX } from 'solid-js';

const LOOKS = {
  primary: 'border-ink bg-ink font-strong text-ink-inverse hover:bg-ink-2',
  plain: 'border-line-strong bg-raised font-medium text-ink hover:border-line-control hover:bg-hover',
  quiet: 'border-transparent font-medium text-ink-2 hover:bg-hover hover:text-ink',
} as const;

type Look = keyof typeof LOOKS;

const SHAPE = `inline-flex flex-none items-center justify-center gap-1.5 rounded-control border px-2.5 whitespace-nowrap
  transition-colors duration-(--motion-instant)
  disabled:cursor-default disabled:border-dashed disabled:border-line-control disabled:bg-transparent disabled:text-ink-3`;

export function Button(
  props: JSX.ButtonHTMLAttributes<HTMLButtonElement> & { look?: Look; isSmall?: boolean },
): JSX.Element {
  const [own, rest] = splitProps(props, ['look', 'isSmall', 'class']);
  return <button type="button" {...rest} class={`${shapeOf(own.look, own.isSmall)} ${own.class ?? ''}`} />;
}

/** A link that acts like a button of the page. */
export function ButtonLink(
  props: JSX.AnchorHTMLAttributes<HTMLAnchorElement> & { look?: Look; isSmall?: boolean },
): JSX.Element {
  const [own, rest] = splitProps(props, ['look', 'isSmall', 'class']);
  return <a {...rest} class={`${shapeOf(own.look, own.isSmall)} ${own.class ?? ''}`} />;
}

function shapeOf(look: Look = 'plain', isSmall = false): string {
  return `${SHAPE} ${isSmall ? 'h-6 text-12 pointer-coarse:h-11' : 'h-(--control) text-13'} ${LOOKS[look]}`;
}
