import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { sizeOf, union, withRange } from '../../server/devices/byte-ranges.ts';
import type { ByteRanges } from '../../server/devices/byte-ranges.ts';
import type { ByteRange } from '../../server/domain/ports.ts';
import { chunkRange } from '../../server/devices/downloads.ts';

const RANGES_MAX = 1_000;

const ranges = fc.array(
  fc.record({ start: fc.nat(200), length: fc.nat(40) }).map(({ start, length }) => ({ start, end: start + length })),
);

function all(added: readonly ByteRange[], max = RANGES_MAX): ByteRanges {
  return added.reduce<ByteRanges>((so, range) => withRange(so, range, max), []);
}

describe('byte ranges', () => {
  test('U10 count every byte once, however often and in whatever order it went out', () => {
    fc.assert(
      fc.property(ranges, (added) => {
        const bytes = new Set(
          added.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i)),
        );
        expect(sizeOf(all(added))).toBe(bytes.size);
      }),
    );
  });

  test('are disjoint, in order and as few as can be', () => {
    fc.assert(
      fc.property(ranges, ranges, (some, others) => {
        const both = union(all(some), all(others), RANGES_MAX);
        expect(both).toEqual(all([...some, ...others]));
        both.slice(1).forEach(({ start }, index) => expect(start).toBeGreaterThan(both[index]?.end ?? Infinity));
      }),
    );
  });

  test('that are too many are told by their sum', () => {
    const odd = Array.from({ length: 10 }, (_, i) => ({ start: 20 * i, end: 20 * i + 10 }));
    expect(all(odd, 9)).toEqual([{ start: 0, end: 100 }]);
    expect(all(odd, 10)).toHaveLength(10);
  });
});

describe('chunks', () => {
  test('W2 of any size are the whole, once and without a gap, and empty past the end', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 10_000 }), fc.integer({ min: 1, max: 20_000 }), (size, chunkBytes) => {
        const count = Math.ceil(size / chunkBytes);
        let at = 0;
        for (let index = 0; index < count; index += 1) {
          const { start, end } = chunkRange(chunkBytes, index, size);
          expect(start).toBe(at);
          expect(end).toBeGreaterThan(start);
          at = end;
        }
        expect(at).toBe(size);
        expect(sizeOf([chunkRange(chunkBytes, count, size)])).toBe(0);
      }),
    );
  });

  test('W2 far past the end are empty, not an overflow', () => {
    const huge = Number.MAX_SAFE_INTEGER;
    for (const [chunkBytes, index] of [
      [huge, huge],
      [2 ** 31, 2],
      [65_536, 65_536],
      [1, huge],
      [huge, 1],
    ] as const) {
      expect(sizeOf([chunkRange(chunkBytes, index, 2 ** 31)])).toBe(0);
    }
    expect(chunkRange(huge, 0, 2 ** 31)).toEqual({ start: 0, end: 2 ** 31 });
  });
});
