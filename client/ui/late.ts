import { createEffect, createSignal, on, onCleanup } from 'solid-js';

/** Nothing is shown for this long; then the bones of what will be. */
const BONES_AFTER_MS = 300;

/** @returns whether it has been so for longer than people notice */
export function useLate(isWaiting: () => boolean): () => boolean {
  const [isLate, setLate] = createSignal(false);
  createEffect(
    on(isWaiting, (waiting) => {
      setLate(false);
      if (!waiting) return;
      const timer = setTimeout(() => setLate(true), BONES_AFTER_MS);
      onCleanup(() => clearTimeout(timer));
    }),
  );
  return isLate;
}
