import { describe, expect, test } from 'vitest';
import { type MigrationRecord, pending } from '../../server/adapters/migrations.ts';

const migration = (name: string) => ({ name, sql: '', checksum: `sum of ${name}` });
const record = (name: string, changes: Partial<MigrationRecord> = {}): MigrationRecord => ({
  migration_name: name,
  checksum: `sum of ${name}`,
  finished_at: new Date(0),
  rolled_back_at: null,
  ...changes,
});
const KNOWN = ['1_init', '2_more', '3_most'].map(migration);

describe('what is to be applied', () => {
  test.each([
    ['an empty database: all, in order', [], ['1_init', '2_more', '3_most']],
    ['a database that has the first: the others', [record('1_init')], ['2_more', '3_most']],
    ['a database that has all: nothing', ['1_init', '2_more', '3_most'].map((name) => record(name)), []],
    [
      'one that failed and is recorded as rolled back: that one again',
      [record('1_init'), record('2_more', { finished_at: null, rolled_back_at: new Date(1) })],
      ['2_more', '3_most'],
    ],
    [
      'one that failed once and was applied then: the rest',
      [record('1_init', { finished_at: null, rolled_back_at: new Date(1) }), record('1_init')],
      ['2_more', '3_most'],
    ],
  ])('%s', (_, records, names) => {
    expect(pending(KNOWN, records).map(({ name }) => name)).toEqual(names);
  });

  test.each([
    [
      'one that is recorded as unfinished',
      [record('1_init', { finished_at: null })],
      /1_init failed .*recorded as unfinished/,
    ],
    [
      'one that was changed after it was applied',
      [record('1_init', { checksum: 'other' })],
      /1_init is not the one that was applied/,
    ],
    [
      'one of a newer Aloft',
      [record('1_init'), record('9_later')],
      /has migration 9_later, which this Aloft does not know/,
    ],
  ])('a database is refused that has %s', (_, records, line) => {
    expect(() => pending(KNOWN, records)).toThrow(line);
  });
});
