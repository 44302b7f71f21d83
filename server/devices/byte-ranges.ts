/** Which bytes went out: disjoint ranges in order, so that a repeated chunk does not count twice. Immutable. */

import type { ByteRange } from '../domain/ports.ts';

export type ByteRanges = readonly ByteRange[];

/** @param rangesMax beyond it, the ranges are told by their sum alone, as if they lay at the beginning */
export function withRange(ranges: ByteRanges, range: ByteRange, rangesMax: number): ByteRanges {
  if (range.end <= range.start) return ranges;
  const before = ranges.filter(({ end }) => end < range.start);
  const after = ranges.filter(({ start }) => start > range.end);
  const touched = ranges.slice(before.length, ranges.length - after.length);
  const merged = {
    start: Math.min(range.start, touched[0]?.start ?? range.start),
    end: Math.max(range.end, touched.at(-1)?.end ?? range.end),
  };
  const all = [...before, merged, ...after];
  return all.length <= rangesMax ? all : [{ start: 0, end: sizeOf(all) }];
}

export function union(ranges: ByteRanges, others: ByteRanges, rangesMax: number): ByteRanges {
  return others.reduce((all, range) => withRange(all, range, rangesMax), ranges);
}

/** Bytes. */
export function sizeOf(ranges: ByteRanges): number {
  return ranges.reduce((sum, { start, end }) => sum + end - start, 0);
}
