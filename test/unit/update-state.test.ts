import { describe, expect, test } from 'vitest';
import { REPORTS, outcomeOf } from '../../server/domain/update-state.ts';
import type { Circumstances, Outcome, Report, Standing } from '../../server/domain/update-state.ts';

/** The transition table once more, in the words of the device protocols: what a reader would write down by hand. */
const TABLE = `
now               | DOWNLOADING | DOWNLOADED | VERIFIED  | UPDATING  | UPDATED           | UPDATED_OTHER       | FAILED               | OTHER | MATCH
NOTHING_EFFECTIVE | =           | =          | =         | =         | =                 | =                   | =                    | =     | =
QUEUED            | DOWNLOADING | =          | =         | =         | =                 | =                   | =                    | =     | UPDATED ALREADY_CURRENT
INITIATED         | DOWNLOADING | DOWNLOADED | VERIFIED  | UPDATING  | UPDATED SUCCEEDED | = offer again       | FAILED DEVICE_FAILED | =     | UPDATED SUCCEEDED
DOWNLOADING       | =           | DOWNLOADED | VERIFIED  | UPDATING  | UPDATED SUCCEEDED | FAILED INTERRUPTED  | FAILED DEVICE_FAILED | =     | UPDATED SUCCEEDED
DOWNLOADED        | DOWNLOADING | =          | VERIFIED  | UPDATING  | UPDATED SUCCEEDED | FAILED INTERRUPTED  | FAILED DEVICE_FAILED | =     | UPDATED SUCCEEDED
VERIFIED          | DOWNLOADING | =          | =         | UPDATING  | UPDATED SUCCEEDED | FAILED INTERRUPTED  | FAILED DEVICE_FAILED | =     | UPDATED SUCCEEDED
UPDATING          | DOWNLOADING | =          | =         | =         | UPDATED SUCCEEDED | FAILED INTERRUPTED  | FAILED DEVICE_FAILED | =     | UPDATED SUCCEEDED
UPDATED           | next DOWNLOADING | =     | =         | =         | =                 | =                   | =                    | =     | =
FAILED            | next DOWNLOADING | =     | =         | =         | =                 | =                   | =                    | =     | next UPDATED SUCCEEDED
TIMED_OUT         | next DOWNLOADING | next DOWNLOADED | next VERIFIED | next UPDATING | next UPDATED SUCCEEDED | = | =              | =     | next UPDATED SUCCEEDED
CANCELED          | =           | =          | =         | =         | =                 | =                   | =                    | =     | next UPDATED SUCCEEDED
`;

const PLAIN: Circumstances = {
  deaf: false,
  resent: false,
  saysDownloading: false,
  otherIsFormer: false,
  isCurrent: false,
  served: false,
};

const cells = TABLE.trim()
  .split('\n')
  .slice(1)
  .flatMap((line) => {
    const [standing, ...words] = line.split('|').map((cell) => cell.trim());
    return REPORTS.map((report, column) => ({
      standing: standing as Standing,
      report,
      word: words[column] ?? 'missing',
    }));
  });

function wordOf(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'SIGN_OF_LIFE':
      return '=';
    case 'OFFER_AGAIN':
      return '= offer again';
    case 'MOVE':
      return [outcome.state, outcome.result].filter(Boolean).join(' ');
    case 'NEXT_ATTEMPT':
      return ['next', outcome.state, outcome.result].filter(Boolean).join(' ');
  }
}

describe('U4 the transition table, every cell', () => {
  test('the table has 11 standings and 9 reports', () => {
    expect(cells).toHaveLength(99);
  });

  test.each(cells)('$standing + $report → $word', ({ standing, report, word }) => {
    expect(wordOf(outcomeOf(standing, report, PLAIN))).toBe(word);
  });
});

describe('U4 an update that took over is deaf until the device means it', () => {
  const deaf = { ...PLAIN, deaf: true };

  test.each(REPORTS.filter((report) => report !== 'MATCH'))('QUEUED and deaf + %s → =', (report) => {
    expect(wordOf(outcomeOf('QUEUED', report, deaf))).toBe('=');
  });

  test.each<[Report, string]>([
    ['DOWNLOADING', 'DOWNLOADING'],
    ['DOWNLOADED', '='],
    ['VERIFIED', '='],
    ['UPDATING', '='],
    ['UPDATED', '='],
    ['UPDATED_OTHER', '= offer again'],
    ['FAILED', '='],
    ['OTHER', '='],
    ['MATCH', 'UPDATED SUCCEEDED'],
  ])('INITIATED and deaf + %s → %s', (report, word) => {
    expect(wordOf(outcomeOf('INITIATED', report, deaf))).toBe(word);
  });

  test('the match is heard while queued', () => {
    expect(wordOf(outcomeOf('QUEUED', 'MATCH', deaf))).toBe('UPDATED ALREADY_CURRENT');
  });

  test.each<Standing>(['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING'])(
    '%s + UPDATED with the former version → back to INITIATED, never INTERRUPTED',
    (standing) => {
      expect(wordOf(outcomeOf(standing, 'UPDATED_OTHER', { ...PLAIN, otherIsFormer: true }))).toBe('INITIATED');
    },
  );
});

describe('U4 what else decides', () => {
  test('a queued update whose bytes were served has succeeded, not been current already', () => {
    expect(wordOf(outcomeOf('QUEUED', 'MATCH', { ...PLAIN, served: true }))).toBe('UPDATED SUCCEEDED');
  });

  test('a device that runs the target and starts again opens no next attempt', () => {
    expect(wordOf(outcomeOf('UPDATED', 'DOWNLOADING', { ...PLAIN, isCurrent: true }))).toBe('=');
  });

  test.each<Standing>(['QUEUED', 'INITIATED'])('%s and resent: the match counts from DOWNLOADING on', (standing) => {
    const resent = { ...PLAIN, resent: true };
    expect(wordOf(outcomeOf(standing, 'MATCH', resent))).toBe('=');
    expect(wordOf(outcomeOf(standing, 'MATCH', { ...resent, saysDownloading: true }))).toBe('DOWNLOADING');
    expect(wordOf(outcomeOf('DOWNLOADING', 'MATCH', resent))).toBe('UPDATED SUCCEEDED');
  });
});
