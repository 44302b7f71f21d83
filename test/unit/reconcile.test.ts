import { describe, expect, test } from 'vitest';
import { begin } from '../../server/domain/passage.ts';
import type { Passage } from '../../server/domain/passage.ts';
import { reconcile } from '../../server/domain/reconcile.ts';
import type { Effective, Slot } from '../../server/domain/slot.ts';
import { LATER, NOW, effective, inFlight, slot, update } from '../support/slots.ts';

const F1 = effective('F1');
const F2 = effective('F2');
const F3 = effective('F3');

function run(from: Slot, target: Effective | null): Passage {
  return reconcile(begin(from), target, LATER);
}

function storyOf(passage: Passage): string[] {
  return passage.events.map(({ update: { packageId, state, result } }) =>
    [packageId, state, result].filter(Boolean).join(' '),
  );
}

describe('reconcile', () => {
  test('U1 a device without an update is queued at once', () => {
    const passage = run(slot(), F1);
    expect(storyOf(passage)).toEqual(['F1 QUEUED']);
    expect(passage.slot).toMatchObject({ targetPackageId: 'F1', toldPackageId: null, offer: 0 });
    expect(passage.slot.update).toMatchObject({ packageId: 'F1', attempt: 1, queuedAt: LATER, bytesTotal: 100 });
  });

  test('it is its own fixed point', () => {
    for (const target of [null, F1, F2]) {
      for (const from of [
        slot(),
        inFlight('F1'),
        inFlight('F1', 'UPDATED', { result: 'SUCCEEDED', finishedAt: NOW }),
      ]) {
        const once = run(from, target);
        expect(storyOf(run(once.slot, target))).toEqual([]);
      }
    }
  });

  test('A3 nothing effective: an open update ends UNASSIGNED and the attributes are deleted', () => {
    const passage = run(inFlight('F1'), null);
    expect(storyOf(passage)).toEqual(['F1 CANCELED UNASSIGNED']);
    expect(passage.slot).toMatchObject({ targetPackageId: null, toldPackageId: null, offer: 2 });
  });

  test('A3 nothing effective after the end: no event, and the attributes are deleted', () => {
    const passage = run(inFlight('F1', 'UPDATED', { result: 'SUCCEEDED', finishedAt: NOW }), null);
    expect(storyOf(passage)).toEqual([]);
    expect(passage.slot).toMatchObject({ toldPackageId: null, offer: 2, update: { state: 'UPDATED' } });
  });

  test('nothing effective, nothing told: nothing to delete', () => {
    expect(run(slot(), null).slot).toEqual(slot());
  });

  test('A4 the same package by another assignment: the open update belongs to the new one', () => {
    const passage = run(inFlight('F1', 'DOWNLOADING'), { ...F1, assignmentId: 'another' });
    expect(storyOf(passage)).toEqual([]);
    expect(passage.slot.update).toMatchObject({ id: 'update to F1', state: 'DOWNLOADING', assignmentId: 'another' });
  });

  test('the same package, failed: not to be retried by us', () => {
    expect(storyOf(run(inFlight('F1', 'FAILED', { result: 'DEVICE_FAILED', finishedAt: NOW }), F1))).toEqual([]);
  });

  test('the same package, unassigned in between: a new intent', () => {
    const unassigned = run(inFlight('F1'), null).slot;
    const passage = run(unassigned, F1);
    expect(storyOf(passage)).toEqual(['F1 QUEUED']);
    expect(passage.slot.update).toMatchObject({ deaf: false, tookOver: null });
  });

  test('the target is reported already: UPDATED, ALREADY_CURRENT', () => {
    const passage = run(slot({ current: { title: 'fw', version: 'F1', reportedAt: NOW } }), F1);
    expect(storyOf(passage)).toEqual(['F1 UPDATED ALREADY_CURRENT']);
    expect(passage.slot).toMatchObject({ toldPackageId: 'F1', offer: 0, update: { finishedAt: LATER } });
  });

  test('the target is reported already, but the device was told another: it hears of it', () => {
    const passage = run(
      { ...inFlight('F2', 'DOWNLOADING'), current: { title: 'fw', version: 'F1', reportedAt: NOW } },
      F1,
    );
    expect(storyOf(passage)).toEqual(['F2 CANCELED SUPERSEDED', 'F1 UPDATED ALREADY_CURRENT']);
    expect(passage.slot).toMatchObject({ toldPackageId: 'F1', offer: 2 });
  });

  test('U12 a version is text: 1.10 is not 1.1', () => {
    const passage = run(
      slot({ current: { title: 'fw', version: '1.1', reportedAt: NOW } }),
      effective('P', { title: 'fw', version: '1.10' }),
    );
    expect(storyOf(passage)).toEqual(['P QUEUED']);
  });

  test('U2 what was queued and never told is superseded, and nobody takes over', () => {
    const passage = run(slot({ targetPackageId: 'F1', update: update('F1') }), F2);
    expect(storyOf(passage)).toEqual(['F1 CANCELED SUPERSEDED', 'F2 QUEUED']);
    expect(passage.slot.update).toMatchObject({ deaf: false, tookOver: null, assignmentId: F2.assignmentId });
  });

  test('U4 what was told is superseded: the new update takes over and is deaf', () => {
    const passage = run(inFlight('F1', 'DOWNLOADING'), F2);
    expect(storyOf(passage)).toEqual(['F1 CANCELED SUPERSEDED', 'F2 QUEUED']);
    expect(passage.slot.update).toMatchObject({ deaf: true, tookOver: { packageId: 'F1', version: 'F1' } });
    expect(passage.slot.toldPackageId).toBe('F1');
  });

  test('U4 taking over is inherited through updates that were never told', () => {
    const passage = run(run(inFlight('F1'), F2).slot, F3);
    expect(passage.slot.update).toMatchObject({ packageId: 'F3', deaf: true, tookOver: { packageId: 'F1' } });
  });

  test('U4 back to the package that the device is at: nothing to be deaf to', () => {
    const passage = run(run(inFlight('F1'), F2).slot, F1);
    expect(passage.slot.update).toMatchObject({ packageId: 'F1', deaf: false, tookOver: null });
  });

  test('U4 told, unassigned, another assigned: still at the first, so the new one is deaf', () => {
    const passage = run(run(inFlight('F1', 'DOWNLOADING'), null).slot, F2);
    expect(passage.slot.update).toMatchObject({ packageId: 'F2', deaf: true, tookOver: { packageId: 'F1' } });
  });

  test('what the device itself ended is over: the next update hears everything', () => {
    const passage = run(inFlight('F1', 'FAILED', { result: 'DEVICE_FAILED', finishedAt: NOW }), F2);
    expect(storyOf(passage)).toEqual(['F2 QUEUED']);
    expect(passage.slot.update).toMatchObject({ deaf: false });
  });
});
