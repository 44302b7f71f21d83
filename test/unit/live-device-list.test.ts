import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isNewer } from '../../client/live/device.ts';
import type { Change, Device, Update } from '../../client/live/device.ts';
import { PENDING_MAX, emptyList, movedCount, reduce } from '../../client/live/device-list.ts';
import type { DeviceFilter, DeviceList, DeviceListMessage } from '../../client/live/device-list.ts';
import type { UpdateState } from '../../client/live/graphql.ts';

const ALL: DeviceFilter = { type: 'FIRMWARE', states: null, search: '' };
const FAILED: DeviceFilter = { ...ALL, states: ['FAILED'] };

/** The passage of one update: revision 1 is QUEUED, 2 INITIATED, … */
const STATES: readonly UpdateState[] = [
  'QUEUED',
  'INITIATED',
  'DOWNLOADING',
  'DOWNLOADED',
  'VERIFIED',
  'UPDATING',
  'UPDATED',
];

/** @param attempt the update, in the order in which they were queued */
function update(revision: number, attempt = 1, its: Partial<Update> = {}): Update {
  return {
    id: `update-${attempt}`,
    revision,
    state: STATES[revision - 1] ?? 'UPDATED',
    result: null,
    error: null,
    queuedAt: `2026-11-23T10:0${attempt}:00.000Z`,
    bytesServed: 0,
    bytesTotal: 1_000,
    stateSince: `2026-11-23T11:0${attempt}:0${revision}.000Z`,
    reached: null,
    ...its,
  };
}

function device(name: string, its: Update | null): Device {
  return { id: name, name, profile: 'p', lastSeenAt: null, current: null, target: null, update: its };
}

function change(name: string, its: Update, isDeleted = false): Change {
  return { device: { ...device(name, its), update: its }, isDeleted };
}

let cursors = 0;
function batch(...changes: Change[]): DeviceListMessage {
  return { kind: 'batch', cursor: `cursor-${(cursors += 1)}`, changes };
}

function page(devices: readonly Device[], its: { next?: string; total?: number; isFollowing?: boolean } = {}) {
  const { next = null, total = devices.length, isFollowing = false } = its;
  return { kind: 'page', devices, next, total, isFollowing } satisfies DeviceListMessage;
}

const READING: DeviceListMessage = { kind: 'reading' };

function after(filter: DeviceFilter, ...messages: DeviceListMessage[]): DeviceList {
  return messages.reduce(reduce, emptyList(filter));
}

/** As a reader sees it. */
function seen({ shown, rows }: DeviceList): string[] {
  return shown.map((id) => {
    const its = rows.get(id)?.update;
    return its ? `${id} ${its.state} ${its.id} ${its.revision}` : `${id} NONE`;
  });
}

describe('a snapshot and the events since', () => {
  test('an event that the page has seen already changes nothing, and leaves no mark', () => {
    const list = after(ALL, batch(), READING, batch(change('a', update(2))), page([device('a', update(3))]));
    expect(seen(list)).toEqual(['a DOWNLOADING update-1 3']);
    expect(list.rows.get('a')?.changes).toBe(0);
  });

  test('an event that is newer than the page is applied to it, though it came before it', () => {
    const list = after(ALL, batch(), READING, batch(change('a', update(4))), page([device('a', update(3))]));
    expect(seen(list)).toEqual(['a DOWNLOADED update-1 4']);
    expect(list.rows.get('a')?.changes).toBe(1);
  });

  test('of two updates the one that was queued later counts, whatever their revisions', () => {
    const list = after(ALL, READING, page([device('a', update(1, 2))]), batch(change('a', update(7, 1))));
    expect(seen(list)).toEqual(['a QUEUED update-2 1']);
    expect(seen(reduce(list, batch(change('a', update(1, 3)))))).toEqual(['a QUEUED update-3 1']);
  });

  test('an event twice is an event once', () => {
    const twice = batch(change('a', update(2)), change('a', update(2)));
    const list = after(ALL, READING, page([device('a', update(1))]), twice, twice);
    expect(list.rows.get('a')?.changes).toBe(1);
  });

  test('the first event of a device that had no update is applied', () => {
    const list = after(ALL, READING, page([device('a', null)]), batch(change('a', update(1))));
    expect(seen(list)).toEqual(['a QUEUED update-1 1']);
  });

  test('a page that is older than what was applied since does not undo it', () => {
    const read = after(ALL, READING, page([device('a', update(1))]));
    const list = [READING, batch(change('a', update(5))), page([device('a', update(2))])].reduce(reduce, read);
    expect(seen(list)).toEqual(['a VERIFIED update-1 5']);
  });

  test('too many changes for one page mean that it is read again', () => {
    const changes = Array.from({ length: PENDING_MAX + 1 }, (_, index) => change(`d${index}`, update(1)));
    const reading = after(ALL, batch(), READING, batch(...changes));
    expect(reading.pending?.size).toBe(PENDING_MAX);
    expect(reduce(reading, page([device('a', null)])).isStale).toBe(true);
  });

  test('however pages, batches and repetitions interleave, the end is what the server has', () => {
    fc.assert(fc.property(fc.array(fc.nat()), interleaved), { numRuns: 2_000 });
  });
});

/**
 * A server with three devices whose updates go on, and a client whose reading and batches are as late as chance has it.
 * @param chances each decides one step
 */
function interleaved(chances: readonly number[]): void {
  const names = ['a', 'b', 'c'];
  const truth = new Map<string, Update>();
  const log: Change[] = [];
  let [told, list] = [0, after(ALL, batch())];
  let answer: DeviceListMessage | null = null;
  const read = (): DeviceListMessage => page(names.map((name) => device(name, truth.get(name) ?? null)));
  const tell = (upTo: number): void => {
    // From one before, as if a cursor had been lost on the way.
    list = reduce(list, batch(...log.slice(Math.max(0, told - 1), upTo)));
    told = upTo;
  };
  for (const chance of chances) {
    const name = names[chance % names.length] ?? '';
    switch (Math.floor(chance / names.length) % 5) {
      case 0:
      case 1: {
        const { id, revision } = truth.get(name) ?? update(0, 0);
        const attempt = Number(id.split('-')[1]);
        const next =
          revision === 0 || revision === 7 ? update(1, Math.min(9, attempt + 1)) : update(revision + 1, attempt);
        if (isNewer(next, truth.get(name) ?? null)) {
          truth.set(name, next);
          log.push(change(name, next));
        }
        break;
      }
      case 2:
        tell(Math.min(log.length, told + (chance % 4)));
        break;
      case 3:
        if (answer === null) {
          list = reduce(list, READING);
          answer = read();
        }
        break;
      default:
        if (answer !== null) list = reduce(list, answer);
        answer = null;
    }
  }
  if (answer !== null) list = reduce(list, answer);
  tell(log.length);
  if (!list.isRead) list = [READING, read()].reduce(reduce, list);
  expect(seen(list)).toEqual(
    names.map((name) => seen(after(ALL, READING, page([device(name, truth.get(name) ?? null)])))[0]),
  );
}

describe('what an event tells beyond the state', () => {
  test('since when, and where it had come to when it failed', () => {
    const failure = update(4, 1, { state: 'FAILED', result: 'DEVICE_FAILED', error: 'Radio link lost' });
    const list = after(ALL, READING, page([device('a', update(3))]), batch(change('a', failure)));
    expect(list.rows.get('a')?.update).toMatchObject({
      reached: 'DOWNLOADING',
      error: 'Radio link lost',
      stateSince: failure.stateSince,
    });
  });

  test('an event without a change of state begins no new time', () => {
    const before = update(3);
    const list = after(
      ALL,
      READING,
      page([device('a', before)]),
      batch(change('a', update(4, 1, { state: 'DOWNLOADING' }))),
    );
    expect(list.rows.get('a')?.update).toMatchObject({ revision: 4, stateSince: before.stateSince });
  });

  test('bytes go up, only for the update that they are of, and leave no mark', () => {
    const served = (updateId: string, bytesServed: number): DeviceListMessage => ({
      kind: 'bytes',
      served: [{ deviceId: 'a', updateId, bytesServed, bytesTotal: 1_000 }],
    });
    const list = after(ALL, READING, page([device('a', update(3))]), served('update-1', 700), served('update-1', 600));
    expect(list.rows.get('a')).toMatchObject({ changes: 0, update: { bytesServed: 700 } });
    expect(reduce(list, served('update-0', 900)).rows.get('a')?.update?.bytesServed).toBe(700);
    const readLate = [READING, page([device('a', update(3, 1, { bytesServed: 650 }))])].reduce(reduce, list);
    expect(readLate.rows.get('a')?.update?.bytesServed).toBe(700);
  });
});

describe('a filter', () => {
  const failing = update(4, 1, { state: 'FAILED' });

  test('a row that no longer matches leaves at once', () => {
    const read = after(FAILED, READING, page([device('a', failing), device('b', failing)]));
    const list = reduce(read, batch(change('a', update(1, 2))));
    expect(seen(list)).toEqual(['b FAILED update-1 4']);
    expect([...list.rows.keys()]).toEqual(['b']);
    expect(list.isStale).toBe(false);
  });

  test('a device that may come to match makes the list stale, and comes in its place when it is read', () => {
    const read = after(FAILED, READING, page([device('a', failing), device('c', failing)]));
    const stale = reduce(read, batch(change('b', failing)));
    expect([stale.isStale, stale.shown]).toEqual([true, ['a', 'c']]);
    const again = [READING, page(['a', 'b', 'c'].map((name) => device(name, failing)))].reduce(reduce, stale);
    expect([again.isStale, again.shown]).toEqual([false, ['a', 'b', 'c']]);
  });

  test('one that does not, or whose name was not searched for, does not', () => {
    const read = after({ ...FAILED, search: 'Boiler' }, READING, page([]));
    expect(reduce(read, batch(change('boiler 1', update(3)), change('pump 1', failing))).isStale).toBe(false);
    expect(reduce(read, batch(change('BOILER 2', failing))).isStale).toBe(true);
  });

  test('without one, an unknown device is news only where the whole list was read', () => {
    const whole = after(ALL, READING, page([device('a', null)]));
    expect(reduce(whole, batch(change('b', update(1)))).isStale).toBe(true);
    const part = after(ALL, READING, page([device('a', null)], { next: 'page 2', total: 9 }));
    expect(reduce(part, batch(change('b', update(1)))).isStale).toBe(false);
  });

  test('a device that came to match while the page was read makes the list stale', () => {
    const list = after(FAILED, batch(), READING, batch(change('b', failing)), page([device('a', failing)]));
    expect([list.isStale, list.shown]).toEqual([true, ['a']]);
  });
});

describe('devices that go', () => {
  test('a deleted device leaves with its last event, also if a page is older than that', () => {
    const read = after(ALL, READING, page([device('a', update(3)), device('b', null)]));
    const goes = batch(change('a', update(4, 1, { state: 'CANCELED' }), true));
    expect(reduce(read, goes).shown).toEqual(['b']);
    const late = [READING, goes, page([device('a', update(3)), device('b', null)])].reduce(reduce, read);
    expect(late.shown).toEqual(['b']);
  });

  test('one that no event tells of is gone when the list is read again', () => {
    const read = after(ALL, READING, page([device('a', update(7)), device('b', null)]), { kind: 'outdated' });
    expect(read.isStale).toBe(true);
    expect([READING, page([device('b', null)])].reduce(reduce, read).shown).toEqual(['b']);
  });
});

describe('resuming', () => {
  test('the cursor is that of the last batch, empty ones too', () => {
    const list = after(ALL, batch(change('a', update(1))), batch());
    expect(list.cursor).toBe(`cursor-${cursors}`);
    expect(list.eventCount).toBe(1);
  });

  test('an expired cursor is given up, and what is shown stays until it is read again', () => {
    const list = after(ALL, batch(), READING, page([device('a', update(2))]), { kind: 'cursorExpired' });
    expect([list.cursor, list.isStale, list.shown]).toEqual([null, true, ['a']]);
    const again = [batch(), READING, page([device('a', update(6))])].reduce(reduce, list);
    expect(seen(again)).toEqual(['a UPDATING update-1 6']);
    expect(again.rows.get('a')?.changes).toBe(1);
  });

  test('a page that could not be read leaves everything as it is, and stale', () => {
    const list = after(ALL, READING, page([device('a', update(2))]), READING, { kind: 'notRead' });
    expect([list.isStale, list.pending, list.shown]).toEqual([true, null, ['a']]);
  });
});

describe('pages that follow', () => {
  test('are put after what was read, and events meanwhile are held against them', () => {
    const first = after(ALL, READING, page([device('a', update(1))], { next: 'after a', total: 2 }));
    const list = [
      READING,
      batch(change('b', update(3)), change('a', update(2))),
      page([device('b', update(2))], { isFollowing: true, total: 2 }),
    ].reduce(reduce, first);
    expect(seen(list)).toEqual(['a INITIATED update-1 2', 'b DOWNLOADING update-1 3']);
    expect(list.next).toBeNull();
  });
});

describe('while the list is held', () => {
  const failing = update(4, 1, { state: 'FAILED' });
  const held = after(FAILED, READING, page(['a', 'b', 'd'].map((name) => device(name, failing))), { kind: 'hold' });
  const moved = [
    batch(change('b', update(1, 2)), change('c', failing)),
    READING,
    page(['a', 'c', 'd'].map((name) => device(name, failing))),
  ].reduce(reduce, held);

  test('rows change where they are, nothing comes or goes, and what would is counted', () => {
    expect(seen(moved)).toEqual(['a FAILED update-1 4', 'b QUEUED update-2 1', 'd FAILED update-1 4']);
    expect(movedCount(moved)).toBe(2);
  });

  test('it comes and goes on demand, and when the list is let go', () => {
    const sorted = reduce(moved, { kind: 'sortAgain' });
    expect([sorted.shown, sorted.isHeld, movedCount(sorted)]).toEqual([['a', 'c', 'd'], true, 0]);
    expect(reduce(moved, { kind: 'release' }).shown).toEqual(['a', 'c', 'd']);
  });

  test('a row that left and came back keeps its place', () => {
    const back = reduce(moved, batch(change('b', update(4, 2, { state: 'FAILED' }))));
    expect(movedCount(back)).toBe(1);
    // Where it belongs only the server can say.
    expect(reduce(back, { kind: 'release' }).isStale).toBe(true);
  });

  test('what is read first is shown, though nothing was there to be held', () => {
    const list = after(ALL, { kind: 'hold' }, READING, page([device('a', null)]));
    expect([list.shown, movedCount(list)]).toEqual([['a'], 0]);
  });

  test('a following page, which was scrolled for, is shown', () => {
    const first = after(ALL, READING, page([device('a', null)], { next: 'after a' }), { kind: 'hold' });
    const list = [READING, page([device('b', null)], { isFollowing: true })].reduce(reduce, first);
    expect([list.shown, movedCount(list)]).toEqual([['a', 'b'], 0]);
  });
});
