import { createSignal, onCleanup } from 'solid-js';
import type { Accessor } from 'solid-js';

/** @returns the whole seconds left, 0 when none, and what begins the count */
export function useCountdown(): [Accessor<number>, (ms: number) => void] {
  const [left, setLeft] = createSignal(0);
  let timer: ReturnType<typeof setInterval> | undefined;
  onCleanup(() => clearInterval(timer));
  const begin = (ms: number): void => {
    const end = performance.now() + ms;
    const tick = (): void => {
      setLeft(Math.max(0, Math.ceil((end - performance.now()) / 1_000)));
      if (left() === 0) clearInterval(timer);
    };
    clearInterval(timer);
    timer = setInterval(tick, 1_000);
    tick();
  };
  return [left, begin];
}
