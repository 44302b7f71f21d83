import { setTimeout as delay } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { GroupCommit } from '../../server/adapters/group-commit.ts';
import type { GroupCommitOptions } from '../../server/adapters/group-commit.ts';
import { UnavailableError } from '../../server/domain/errors.ts';

interface Item {
  readonly key: string;
  readonly value: number;
}

const passing = (): Error => Object.assign(new Error('deadlock detected'), { code: '40P01' });

/** What is committed, batch by batch. A test says what happens before each commit. */
function gathering(
  before: (batch: readonly Item[]) => Promise<void> | void = () => undefined,
  options: Partial<GroupCommitOptions<Item, number>> = {},
) {
  const committed: Item[][] = [];
  const inFlight = { now: 0, most: 0 };
  const group = new GroupCommit<Item, number>({
    key: ({ key }) => key,
    commit: async (batch) => {
      inFlight.now += 1;
      inFlight.most = Math.max(inFlight.most, inFlight.now);
      try {
        await before(batch);
        committed.push([...batch]);
        return batch.map(({ value }) => value);
      } finally {
        inFlight.now -= 1;
      }
    },
    gatherMs: 4,
    batchMax: 10,
    batchesInFlightMax: 2,
    queueMax: 100,
    queueOfKeyMax: 20,
    retriesMax: 3,
    retryAfterMs: 1,
    ...options,
  });
  return { group, committed, inFlight };
}

/** A door that stays shut until it is opened. */
function door(): { passed: Promise<void>; open: () => void } {
  let open = (): void => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

const items = (count: number): Item[] => Array.from({ length: count }, (_, value) => ({ key: `k${value}`, value }));

describe('a group commit', () => {
  test('commits together what is added at one moment, and tells each its own result', async () => {
    const { group, committed } = gathering();
    expect(await Promise.all(items(5).map((item) => group.add(item)))).toEqual([0, 1, 2, 3, 4]);
    expect(committed).toEqual([items(5)]);
  });

  test('does not wait longer once a batch is full, and never commits a larger one', async () => {
    const { group, committed } = gathering(undefined, { gatherMs: 60_000 });
    await Promise.all(items(20).map((item) => group.add(item)));
    expect(committed.map((batch) => batch.length)).toEqual([10, 10]);
  });

  test('has at most so many batches in flight', async () => {
    const { group, committed, inFlight } = gathering(() => delay(2));
    await Promise.all(items(80).map((item) => group.add(item)));
    expect(inFlight.most).toBe(2);
    expect(committed.flat()).toHaveLength(80);
  });

  test('keeps a key in one batch at a time and its items in order', async () => {
    const gate = door();
    let isFirst = true;
    const { group, committed } = gathering(async () => {
      if (!isFirst) return;
      isFirst = false;
      await gate.passed;
    });
    const first = group.add({ key: 'a', value: 1 });
    await delay(10);
    // The second batch is free, but "a" is in the first.
    const blocked = [2, 3].map((value) => group.add({ key: 'a', value }));
    await group.add({ key: 'b', value: 9 });
    expect(committed).toEqual([[{ key: 'b', value: 9 }]]);
    gate.open();
    await Promise.all([first, ...blocked]);
    expect(committed.flat().filter(({ key }) => key === 'a')).toEqual([1, 2, 3].map((value) => ({ key: 'a', value })));
  });

  test('W4 one bad item refuses itself alone', async () => {
    const { group, committed } = gathering((batch) => {
      if (batch.some(({ value }) => value === 3)) throw new Error('bad row');
    });
    const outcomes = await Promise.allSettled(items(6).map((item) => group.add(item)));
    expect(outcomes.map(({ status }) => status)).toEqual([
      'fulfilled',
      'fulfilled',
      'fulfilled',
      'rejected',
      'fulfilled',
      'fulfilled',
    ]);
    expect(outcomes[3]).toMatchObject({ reason: { message: 'bad row' } });
    expect(committed.map((batch) => batch.map(({ value }) => value))).toEqual([[0], [1], [2], [4], [5]]);
  });

  test('a passing failure is tried again whole, a bounded number of times', async () => {
    let failures = 0;
    const { group, committed } = gathering(() => {
      failures += 1;
      if (failures <= 3) throw passing();
    });
    await Promise.all(items(4).map((item) => group.add(item)));
    expect(committed).toEqual([items(4)]);

    let tries = 0;
    const away = gathering(() => {
      tries += 1;
      throw Object.assign(new Error('Connection terminated unexpectedly'));
    });
    const outcomes = await Promise.allSettled(items(4).map((item) => away.group.add(item)));
    expect(
      outcomes.map((outcome) => outcome.status === 'rejected' && outcome.reason instanceof UnavailableError),
    ).toEqual([true, true, true, true]);
    // Not item by item: the database was away, no item was bad.
    expect(tries).toBe(4);
  });

  test('W4 refuses what exceeds its queue, of one key and in all', async () => {
    const gate = door();
    const { group } = gathering(() => gate.passed, {
      batchesInFlightMax: 1,
      batchMax: 1,
      queueMax: 5,
      queueOfKeyMax: 2,
    });
    const first = group.add({ key: 'a', value: 0 });
    const ofKey = [1, 2].map((value) => group.add({ key: 'a', value }));
    await expect(group.add({ key: 'a', value: 3 })).rejects.toThrow(UnavailableError);
    const others = items(3).map((item) => group.add(item));
    await expect(group.add({ key: 'z', value: 4 })).rejects.toThrow(UnavailableError);
    gate.open();
    expect(await Promise.all([first, ...ofKey, ...others])).toEqual([0, 1, 2, 0, 1, 2]);
  });

  test('ends when what waits is committed, and takes nothing more', async () => {
    const { group, committed } = gathering(() => delay(2), { gatherMs: 60_000 });
    const added = items(35).map((item) => group.add(item));
    const ended = group[Symbol.asyncDispose]();
    await expect(group.add({ key: 'late', value: 0 })).rejects.toThrow(UnavailableError);
    await ended;
    expect(committed.flat()).toHaveLength(35);
    await Promise.all(added);
  });
});
