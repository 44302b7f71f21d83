import { beforeEach, describe, expect, test } from 'vitest';
import { Unwritten } from '../../server/devices/unwritten.ts';
import { begin } from '../../server/domain/passage.ts';
import type { Slot } from '../../server/domain/slot.ts';
import { LATER, NOW, inFlight, slot, update } from '../support/slots.ts';

const LIMITS = { servedRangesMax: 10, cacheEntriesMax: 100 };
const DEVICE = slot().deviceId;

let unwritten: Unwritten;

beforeEach(() => {
  unwritten = new Unwritten(LIMITS);
});

function serve(start: number, end: number, packageId = 'F1'): void {
  unwritten.served(DEVICE, 'FIRMWARE', packageId, { start, end });
}

/** Writes what is unwritten. @returns the slot as the database has it then */
function write(before: Slot): Slot {
  const { passage, settle } = unwritten.apply(begin(before));
  settle(true);
  return passage.slot;
}

function bytesServed(written: Slot): number | undefined {
  return written.update?.bytesServed;
}

describe('bytes served', () => {
  test('U10 are counted once for each byte, over several writes', () => {
    serve(0, 40);
    const first = write(inFlight('F1'));
    expect(bytesServed(first)).toBe(40);
    serve(20, 60);
    serve(40, 60);
    expect(bytesServed(write(first))).toBe(60);
  });

  test('U10 stay exact for chunks in any order', () => {
    serve(60, 100);
    const first = write(inFlight('F1'));
    serve(0, 20);
    const second = write(first);
    expect(bytesServed(second)).toBe(60);
    serve(60, 100);
    serve(20, 60);
    expect(bytesServed(write(second))).toBe(100);
  });

  test('U10 go on after a restart: what is written stands for the beginning', () => {
    serve(0, 40);
    const first = write(inFlight('F1'));
    unwritten = new Unwritten(LIMITS);
    serve(20, 70);
    expect(bytesServed(write(first))).toBe(70);
  });

  test('begin anew with the next attempt', () => {
    serve(0, 100);
    write(inFlight('F1'));
    const next = inFlight('F1', 'DOWNLOADING', { id: 'second attempt' });
    serve(0, 10);
    expect(bytesServed(write(next))).toBe(10);
  });

  test.each([
    ['another package', inFlight('F2')],
    [
      'an update that has ended',
      slot({ update: update('F1', { state: 'UPDATED', result: 'SUCCEEDED', finishedAt: NOW }) }),
    ],
    ['no update', slot()],
  ])('move nothing of %s, and do not come back later', (_, before) => {
    serve(0, 50);
    expect(write(before)).toEqual(before);
    expect(write(inFlight('F1', 'DOWNLOADING', { id: 'next' })).update?.bytesServed).toBe(0);
  });

  test('of a package that gave way to another are forgotten', () => {
    serve(0, 50);
    serve(0, 10, 'F2');
    expect(bytesServed(write(inFlight('F2')))).toBe(10);
  });

  test('are not lost where the write fails', () => {
    serve(0, 40);
    const { settle } = unwritten.apply(begin(inFlight('F1')));
    serve(40, 50);
    settle(false);
    expect(unwritten.types(DEVICE)).toEqual(['FIRMWARE']);
    expect(bytesServed(write(inFlight('F1')))).toBe(50);
    expect(unwritten.devices()).toEqual([]);
  });

  test('that go out during a write are counted by the next', () => {
    serve(0, 40);
    const { passage, settle } = unwritten.apply(begin(inFlight('F1')));
    serve(40, 50);
    settle(true);
    expect(unwritten.devices()).toEqual([DEVICE]);
    expect(bytesServed(write(passage.slot))).toBe(50);
  });

  test('are never more than the package has', () => {
    serve(0, 500);
    expect(bytesServed(write(inFlight('F1', 'DOWNLOADING', { bytesTotal: 100 })))).toBe(100);
  });

  test('U4 a device that fetches this package hears of it again', () => {
    serve(0, 0);
    expect(write(inFlight('F1', 'INITIATED', { deaf: true })).update?.deaf).toBe(true);
    serve(0, 1);
    expect(write(inFlight('F1', 'INITIATED', { deaf: true })).update?.deaf).toBe(false);
  });
});

describe('deliveries', () => {
  test('are seen at once, and written later', () => {
    const told = inFlight('F1');
    unwritten.delivered(DEVICE, 'FIRMWARE', told.offer, LATER);
    expect(unwritten.overlay(told)).toMatchObject({ deliveredOffer: told.offer, deliveredAt: LATER });
    expect(write(told)).toMatchObject({ deliveredOffer: told.offer, deliveredAt: LATER });
    expect(unwritten.devices()).toEqual([]);
    expect(unwritten.overlay(told)).toBe(told);
  });

  test('of an older offer do not undo a newer one', () => {
    const newer = slot({ offer: 3, deliveredOffer: 3, deliveredAt: NOW });
    unwritten.delivered(DEVICE, 'FIRMWARE', 2, LATER);
    expect(write(newer)).toBe(newer);
  });

  test('of a device that is gone are forgotten', () => {
    serve(0, 10);
    unwritten.delivered(DEVICE, 'SOFTWARE', 1, NOW);
    unwritten.forget(DEVICE);
    expect(unwritten.devices()).toEqual([]);
    expect(write(inFlight('F1')).update?.bytesServed).toBe(0);
  });
});

test('what is remembered is bounded: what was quiet for longest goes', () => {
  for (let i = 0; i < 150; i += 1) unwritten.served(`device ${i}`, 'FIRMWARE', 'F1', { start: 0, end: 10 });
  const served = (i: number): number | undefined => bytesServed(write({ ...inFlight('F1'), deviceId: `device ${i}` }));
  expect([served(0), served(49), served(50), served(149)]).toEqual([0, 0, 10, 10]);
});
