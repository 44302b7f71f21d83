/** The time of the server, told to the page second by second: "12 s ago" must not depend on how this machine's clock is set. */
import { createRoot, createSignal } from 'solid-js';

const TICK_MS = 1_000;
/** The server tells its time in whole seconds, some milliseconds ago. */
const TRUSTED_MS = 2_000;

let offsetMs = 0;

/** @param date the header of an answer */
export function setServerTime(date: string | null): void {
  const at = Date.parse(date ?? '');
  if (Number.isNaN(at)) return;
  const difference = at - Date.now();
  offsetMs = Math.abs(difference) > TRUSTED_MS ? difference : 0;
}

/** In ms since 1970, the server's. */
export function serverTime(): number {
  return Date.now() + offsetMs;
}

/** The same, told once a second. */
export const now = createRoot(() => {
  const [time, setTime] = createSignal(serverTime());
  setInterval(() => setTime(serverTime()), TICK_MS);
  return time;
});
