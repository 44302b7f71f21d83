import { onCleanup } from 'solid-js';

/** Single keys of a page. They mean themselves where somebody types, and nothing beside Ctrl, Alt or ⌘. */
export function useKeys(acts: Readonly<Record<string, (event: KeyboardEvent) => unknown>>): void {
  const press = (event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || isTyping(event.target)) return;
    const act = Object.hasOwn(acts, event.key) ? acts[event.key] : undefined;
    if (act === undefined) return;
    event.preventDefault();
    act(event);
  };
  document.addEventListener('keydown', press);
  onCleanup(() => document.removeEventListener('keydown', press));
}

function isTyping(target: EventTarget | null): boolean {
  return target instanceof HTMLElement && target.matches('input, textarea, select, [contenteditable]');
}
