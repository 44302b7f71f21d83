/**
 * How many devices may be told now: the generic cell rate algorithm (ITU-T I.371, annex A) with one row a tenant. `nextAt` is
 * the instant at which the next device may be told. After a pause it has not been left behind, so there is never a burst. Pure.
 */

/** Devices may be told this much before their instant, so that a loop that wakes late by a tick keeps the rate. */
const TOLERANCE_MS = 50;

/** Devices told in one transaction. */
const TOLD_AT_ONCE_MAX = 1_000;

/** `size` devices are told per `intervalMs`, evenly spread. */
export interface Pace {
  readonly intervalMs: number;
  readonly size: number;
}

export interface Allowance {
  /** How many may be told now. */
  readonly count: number;
  /** The next instant, ms since 1970, once `told` of them have been told. */
  after(told: number): number;
}

/** @param nextAt the instant that is kept for the tenant, ms since 1970; null before the first device */
export function allowanceOf(nextAt: number | null, pace: Pace, now: number): Allowance {
  const step = pace.intervalMs / pace.size;
  const start = Math.max(Math.min(nextAt ?? now, now + step), now - TOLERANCE_MS);
  const count = start > now ? 0 : Math.min(TOLD_AT_ONCE_MAX, Math.floor((now - start) / step) + 1);
  return { count, after: (told) => start + told * step };
}
