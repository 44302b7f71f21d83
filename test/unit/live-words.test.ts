import { describe, expect, test } from 'vitest';
import type { Update } from '../../client/live/device.ts';
import type { UpdateState } from '../../client/live/graphql.ts';
import { UPDATE_STATES } from '../../client/live/update-state.ts';
import { filterInWords, statesInWords } from '../../client/pages/devices/filter-words.ts';
import { passageWords, stationOf } from '../../client/ui/passage-words.ts';
import { newsOf } from '../../client/ui/news.ts';
import { verdictOf } from '../../client/pages/devices/verdict.ts';
import { ago, all, counted, duration, either, share, size, sizeOf } from '../../client/ui/words.ts';

describe('numbers', () => {
  test.each([
    [0, '0 rows'],
    [1, '1 row'],
    [12_345, '12,345 rows'],
  ])('%d', (count, words) => expect(counted(count, 'row')).toBe(words));

  test.each([
    [0, 10, '0 %'],
    [1, 10_000, 'under 0.1 %'],
    [74, 1_000, '7.4 %'],
    [999, 1_000, 'over 99 %'],
    [10, 10, '100 %'],
    [0, 0, ''],
  ])('%d of %d as a share', (count, of, words) => expect(share(count, of).replaceAll(/\s/g, ' ')).toBe(words));
});

describe('sizes', () => {
  test.each([
    [0, '0 bytes'],
    [1, '1 byte'],
    [999, '999 bytes'],
    [167_000, '167 KB'],
    [8_400_896, '8.4 MB'],
    [128_000_000, '128 MB'],
    [2 ** 31, '2.1 GB'],
  ])('%d bytes', (bytes, words) => expect(size(bytes)).toBe(words));

  test('a part is told in the unit of the whole, and never rounded up to it', () => {
    expect(sizeOf(7_299_999, 8_400_896)).toBe('7.2 of 8.4 MB');
    expect(sizeOf(8_399_999, 8_400_000)).toBe('8.3 of 8.4 MB');
    expect(sizeOf(0, 900_000)).toBe('0 of 900 KB');
  });
});

describe('times', () => {
  const SECOND = 1_000;
  test.each([
    [-3 * SECOND, '0 s'],
    [12 * SECOND, '12 s'],
    [192 * SECOND, '3 min 12'],
    [(5 * 3_600 + 2 * 60) * SECOND, '5 h 02'],
    [(52 * 3_600 + 1) * SECOND, '2 d 4 h'],
  ])('%d ms', (ms, words) => expect(duration(ms)).toBe(words));

  const NOW = Date.parse('2026-11-23T14:32:07.000Z');
  test.each([
    ['2026-11-23T14:32:09.000Z', '0 s ago'],
    ['2026-11-23T14:31:51.000Z', '16 s ago'],
    ['2026-11-23T14:08:00.000Z', '24 min ago'],
    ['2026-11-23T09:14:00.000Z', '5 h ago'],
    ['2026-11-12T12:00:00.000Z', '12 November'],
    ['2025-03-12T12:00:00.000Z', '12 March 2025'],
  ])('%s', (at, words) => expect(ago(Date.parse(at), NOW)).toBe(words));
});

test('lists of words', () => {
  expect([either([]), either(['a']), either(['a', 'b', 'c'])]).toEqual(['', 'a', 'a, b or c']);
  expect([all(['a']), all(['a', 'b']), all(['a', 'b', 'c'])]).toEqual(['a', 'a and b', 'a, b and c']);
});

describe('the verdict', () => {
  function verdict(states: Partial<Record<UpdateState, number>>): string {
    const none = Object.fromEntries(UPDATE_STATES.map((state) => [state, 0])) as Record<UpdateState, number>;
    const counts = { ...none, ...states };
    const deviceCount = Object.values(counts).reduce((sum, count) => sum + count, 0);
    const { sentence, rest } = verdictOf({ deviceCount, counts });
    return `${sentence} ${rest}`.trim();
  }

  test.each([
    [{ NONE: 3 }, 'Nothing is being updated. 3 never had an update.'],
    [{ QUEUED: 1, NONE: 1 }, '1 of 2 devices waits its turn. 1 never had an update.'],
    [{ QUEUED: 40, INITIATED: 2, UPDATING: 3 }, '5 of 45 devices are being updated. 40 wait their turn.'],
    [{ UPDATED: 200 }, 'All 200 devices are updated.'],
    [{ UPDATED: 1 }, 'The one device is updated.'],
    [{ UPDATED: 7, CANCELED: 1 }, '7 of 8 devices are updated. 1 was canceled.'],
    [
      { FAILED: 9, DOWNLOADING: 23, QUEUED: 1, UPDATED: 160, NONE: 7 },
      '9 of 200 devices failed, 23 are being updated. 1 waits its turn, 160 are updated and 7 never had an update.',
    ],
  ] as const)('%j', (states, words) => expect(verdict(states)).toBe(words));

  test('every device is counted in it once', () => {
    const counts = Object.fromEntries(UPDATE_STATES.map((state, index) => [state, 10 ** index]));
    const { sentence, rest } = verdictOf({ deviceCount: 1_111_111_111, counts: counts as Record<UpdateState, number> });
    const figures = `${sentence} ${rest}`.replace(/ of [\d,]+/, '').match(/[\d,]*\d/g) ?? [];
    expect(figures.reduce((sum, figure) => sum + Number(figure.replaceAll(',', '')), 0)).toBe(1_111_111_111);
  });
});

describe('the passage', () => {
  function passing(state: UpdateState, its: Partial<Update> = {}): [number, string] {
    const update: Update = {
      id: 'u',
      revision: 1,
      state,
      result: null,
      error: null,
      queuedAt: '',
      bytesServed: 7_200_000,
      bytesTotal: 8_400_000,
      stateSince: null,
      reached: null,
      ...its,
    };
    return [stationOf(update), passageWords(update)];
  }

  test.each([
    [passing('QUEUED'), [-1, '']],
    [passing('INITIATED'), [0, '']],
    [passing('DOWNLOADING'), [1, '7.2 of 8.4 MB']],
    [passing('DOWNLOADING', { bytesTotal: null }), [1, '']],
    [passing('VERIFIED'), [3, '8.4 MB']],
    [passing('UPDATED'), [5, '8.4 MB']],
    [passing('UPDATED', { result: 'ALREADY_CURRENT' }), [5, 'ran it already']],
    [passing('FAILED', { reached: 'DOWNLOADING' }), [1, '7.2 of 8.4 MB']],
    [passing('FAILED', { reached: 'UPDATING' }), [4, 'while updating']],
    [passing('FAILED'), [-1, '']],
    [passing('CANCELED', { result: 'SUPERSEDED', reached: 'DOWNLOADED' }), [2, 'another came first']],
  ])('%j is %j', (passage, expected) => expect(passage).toEqual(expected));
});

test('what is said aloud is what was settled since', () => {
  const counts = (UPDATED: number, FAILED: number) => ({
    counts: { UPDATED, FAILED } as Record<UpdateState, number>,
  });
  expect(newsOf(counts(10, 2), counts(40, 14))).toBe('12 more failed and 30 more updated.');
  expect(newsOf(counts(10, 2), counts(11, 2))).toBe('1 more updated.');
  // Devices that are told anew leave UPDATED: no news of a settlement.
  expect(newsOf(counts(10, 2), counts(3, 0))).toBe('');
});

test('a filter as a sentence', () => {
  expect(statesInWords(['INITIATED', 'DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING', 'FAILED'])).toBe(
    'in flight or failed',
  );
  expect(filterInWords({ type: 'FIRMWARE', states: ['QUEUED', 'NONE'], search: 'oslo' })).toBe(
    'State is queued or no update and the name has “oslo”.',
  );
  expect(filterInWords({ type: 'FIRMWARE', states: null, search: 'oslo' })).toBe('The name has “oslo”.');
});
