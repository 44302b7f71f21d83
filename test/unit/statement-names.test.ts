import { expect, test } from 'vitest';
import { StatementNames } from '../../server/adapters/statement-names.ts';

test('a text that comes again has a name from then on, short enough for PostgreSQL and the same in every process', () => {
  const [one, other] = [new StatementNames(2), new StatementNames(2)];
  expect(one.of('SELECT 1')).toBeUndefined();
  const name = one.of('SELECT 1');
  expect(name).toMatch(/^[\w-]{43}$/);
  expect(one.of('SELECT 1')).toBe(name);
  other.of('SELECT 1');
  expect(other.of('SELECT 1')).toBe(name);
});

test('different texts have different names', () => {
  const names = new StatementNames(2);
  for (const text of ['a', 'b']) names.of(text);
  expect(names.of('a')).not.toBe(names.of('b'));
});

test('no more texts have names than the limit, and they keep them', () => {
  const names = new StatementNames(2);
  for (const text of ['a', 'a', 'b', 'b', 'c', 'c', 'c']) names.of(text);
  expect(names.of('c')).toBeUndefined();
  expect(names.of('a')).toBeDefined();
});

test('texts that come once push out one another, never what comes again', () => {
  const names = new StatementNames(2);
  names.of('hot');
  for (let index = 0; index < 100; index++) {
    names.of(`once ${index}`);
    names.of('hot');
  }
  expect(names.of('hot')).toBeDefined();
  expect(names.of('once 0')).toBeUndefined();
});
