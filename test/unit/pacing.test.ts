import { describe, expect, test } from 'vitest';
import { allowanceOf } from '../../server/domain/pacing.ts';

const PACE = { intervalMs: 60_000, size: 100 };
const EVERY_MS = 600;

/** Runs a notifier that wakes at `instants` and always finds enough to tell. @returns the instants of telling */
function toldAt(instants: readonly number[], pace = PACE): number[] {
  let nextAt: number | null = null;
  return instants.flatMap((now) => {
    const allowance = allowanceOf(nextAt, pace, now);
    if (allowance.count > 0) nextAt = allowance.after(allowance.count);
    return Array.from({ length: allowance.count }, () => now);
  });
}

describe('U1 the pace', () => {
  test('at most N per period and one tick’s worth, evenly spread', () => {
    const told = toldAt(Array.from({ length: 30_000 }, (_, index) => 1_000_000 + index * 10));
    expect(told.length).toBeGreaterThanOrEqual(500);
    expect(told.length).toBeLessThanOrEqual(501);
    const gaps = told.slice(1).map((instant, index) => instant - (told[index] ?? 0));
    expect(Math.min(...gaps)).toBeGreaterThanOrEqual(EVERY_MS - 60);
    expect(Math.max(...gaps)).toBeLessThanOrEqual(EVERY_MS + 60);
  });

  test('never a burst after a pause', () => {
    expect(toldAt([1_000_000, 9_000_000])).toHaveLength(2);
  });

  test('a clock that jumps back does not stop the telling for longer than one step', () => {
    const { count, after } = allowanceOf(9_000_000, PACE, 1_000_000);
    expect(count).toBe(0);
    expect(after(0)).toBe(1_000_000 + EVERY_MS);
  });

  test('a quick pace is kept in groups', () => {
    const told = toldAt(
      Array.from({ length: 101 }, (_, index) => index * 20),
      { intervalMs: 1_000, size: 1_000 },
    );
    expect(told.length).toBeGreaterThanOrEqual(2_000);
    expect(told.length).toBeLessThanOrEqual(2_051);
  });

  test('what was not told is not counted', () => {
    expect(allowanceOf(1_000, PACE, 1_000).after(0)).toBe(1_000);
  });
});
