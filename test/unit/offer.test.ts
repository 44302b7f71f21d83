import { describe, expect, test } from 'vitest';
import { dueTo, repeatsAt } from '../../server/domain/offer.ts';
import type { Slot } from '../../server/domain/slot.ts';
import { NOW, inFlight, slot, update } from '../support/slots.ts';

const REPEAT_MS = 300_000;

function due(its: Slot, afterMs = 0): string {
  return dueTo(its, NOW.getTime() + afterMs, REPEAT_MS);
}

const delivered = { deliveredOffer: 1, deliveredAt: NOW };

describe('what is due to a device', () => {
  test('nothing, where it never was told of a package', () => {
    expect(due(slot())).toBe('NOTHING');
    expect(due(slot({ update: update('F1') }))).toBe('NOTHING');
  });

  test.each(['INITIATED', 'DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING'] as const)(
    'U5 the values, while %s and not delivered',
    (state) => {
      expect(due(inFlight('F1', state))).toBe('VALUES');
      expect(due({ ...inFlight('F1', state), ...delivered })).toBe('NOTHING');
    },
  );

  test('nothing of the former package while the next one is queued', () => {
    expect(due({ ...inFlight('F1'), update: update('F2', { state: 'QUEUED' }) })).toBe('NOTHING');
  });

  test('nothing after an operator has canceled', () => {
    const canceled = update('F1', { state: 'CANCELED', result: 'CANCELED', finishedAt: NOW });
    expect(due({ ...inFlight('F1'), update: canceled })).toBe('NOTHING');
  });

  test('the values once more, five minutes after they were delivered, while it has not begun', () => {
    const told = { ...inFlight('F1'), ...delivered };
    expect(due(told, REPEAT_MS - 1)).toBe('NOTHING');
    expect(due(told, REPEAT_MS)).toBe('VALUES');
    expect(repeatsAt(told, REPEAT_MS)).toBe(NOW.getTime() + REPEAT_MS);
    const began = { ...inFlight('F1', 'DOWNLOADING'), ...delivered };
    expect(due(began, REPEAT_MS)).toBe('NOTHING');
    expect(repeatsAt(began, REPEAT_MS)).toBeNull();
    expect(repeatsAt(inFlight('F1'), REPEAT_MS)).toBeNull();
  });

  test('A3 the deletion, after an unassignment, once', () => {
    const withdrawn = slot({ offer: 2, deliveredOffer: 1, deliveredAt: NOW });
    expect(due(withdrawn)).toBe('DELETION');
    expect(due({ ...withdrawn, deliveredOffer: 2 })).toBe('NOTHING');
  });
});
