import { describe, expect, test } from 'vitest';
import { begin } from '../../server/domain/passage.ts';
import type { Passage } from '../../server/domain/passage.ts';
import { applyStep } from '../../server/domain/report.ts';
import type { ReportStep } from '../../server/domain/report.ts';
import type { Effective, Slot } from '../../server/domain/slot.ts';
import { LATER, NOW, effective, inFlight, slot, update } from '../support/slots.ts';

const F1 = effective('F1');

function run(from: Slot, steps: readonly Partial<ReportStep>[], target: Effective | null = F1): Passage {
  return steps.reduce<Passage>(
    (passage, step) => applyStep(passage, target, { ts: null, ...step }, LATER),
    begin(from),
  );
}

function storyOf(passage: Passage): string[] {
  return passage.events.map(({ update: { attempt, state, result } }) =>
    [attempt, state, result].filter(Boolean).join(' '),
  );
}

describe('a report', () => {
  test('the whole passage, in the words of a well-behaved device', () => {
    const passage = run(inFlight('F1'), [
      { state: 'DOWNLOADING' },
      { state: 'DOWNLOADED' },
      { state: 'VERIFIED' },
      { state: 'UPDATING' },
      { state: 'UPDATED', title: 'fw', version: 'F1' },
    ]);
    expect(storyOf(passage)).toEqual([
      '1 DOWNLOADING',
      '1 DOWNLOADED',
      '1 VERIFIED',
      '1 UPDATING',
      '1 UPDATED SUCCEEDED',
    ]);
    expect(passage.slot.update).toMatchObject({ revision: 7, finishedAt: LATER });
    expect(passage.slot.current).toEqual({ title: 'fw', version: 'F1', reportedAt: LATER });
  });

  test('U6 the target version ends it, whatever else is said', () => {
    expect(storyOf(run(inFlight('F1'), [{ state: 'FAILED', version: 'F1' }]))).toEqual(['1 UPDATED SUCCEEDED']);
  });

  test('U6 an absent title counts as equal, and is taken from the target', () => {
    expect(run(inFlight('F1'), [{ version: 'F1' }]).slot.current).toMatchObject({ title: 'fw', version: 'F1' });
  });

  test('U6 the version under another title is no match', () => {
    expect(storyOf(run(inFlight('F1', 'UPDATING'), [{ title: 'other', version: 'F1' }]))).toEqual([]);
  });

  test('U6 UPDATED with the old version: FAILED, INTERRUPTED', () => {
    const passage = run(inFlight('F1', 'UPDATING'), [{ state: 'UPDATED', title: 'fw', version: 'F0' }]);
    expect(storyOf(passage)).toEqual(['1 FAILED INTERRUPTED']);
    expect(passage.slot.update?.error).toBe('The device says UPDATED but runs fw F0.');
  });

  test('U7 FAILED keeps the device’s own words, and the first of them', () => {
    const passage = run(inFlight('F1', 'DOWNLOADED'), [
      { state: 'FAILED', error: 'no space' },
      { state: 'FAILED', error: 'later' },
    ]);
    expect(storyOf(passage)).toEqual(['1 FAILED DEVICE_FAILED']);
    expect(passage.slot.update?.error).toBe('no space');
  });

  test('U7 a device that starts again after FAILED opens the next attempt, of what is in force', () => {
    const failed = run(inFlight('F1'), [{ state: 'FAILED', error: 'no space' }]).slot;
    const passage = run(failed, [{ state: 'DOWNLOADING' }], { ...F1, assignmentId: 'another' });
    expect(storyOf(passage)).toEqual(['2 DOWNLOADING']);
    expect(passage.slot.update).toMatchObject({ assignmentId: 'another', error: null, bytesServed: 0, result: null });
  });

  test('U4 repeats are no-ops and states do not regress', () => {
    const steps = [
      { state: 'UPDATING' },
      { state: 'UPDATING' },
      { state: 'VERIFIED' },
      { state: 'DOWNLOADED' },
    ] as const;
    expect(storyOf(run(inFlight('F1'), steps))).toEqual(['1 UPDATING']);
  });

  test('U4 a step older than the last one applied is a sign of life only', () => {
    const passage = run(inFlight('F1'), [
      { ts: 2_000, state: 'DOWNLOADED' },
      { ts: 1_000, state: 'FAILED', version: 'F9' },
      { ts: 2_000, state: 'VERIFIED' },
    ]);
    expect(storyOf(passage)).toEqual(['1 DOWNLOADED', '1 VERIFIED']);
    expect(passage.slot.current.version).toBeNull();
  });

  test('U4 a clock that is far ahead and then set right does not silence the device', () => {
    const ahead = LATER.getTime() + 3_600_000;
    const passage = run(inFlight('F1'), [
      { ts: ahead, state: 'DOWNLOADING' },
      { ts: LATER.getTime(), state: 'DOWNLOADED' },
    ]);
    expect(storyOf(passage)).toEqual(['1 DOWNLOADING', '1 DOWNLOADED']);
  });

  test('U4 the history has the device’s time where it said one', () => {
    const passage = run(inFlight('F1'), [{ ts: 1_700_000_000_000, state: 'DOWNLOADING' }, { state: 'DOWNLOADED' }]);
    expect(passage.events.map(({ at }) => at)).toEqual([new Date(1_700_000_000_000), null]);
  });

  test('a download that begins before the device is told: the attributes show it, and it is offered', () => {
    const queued = slot({ targetPackageId: 'F1', toldPackageId: 'F0', offer: 1, update: update('F1') });
    const passage = run(queued, [{ state: 'DOWNLOADING' }]);
    expect(storyOf(passage)).toEqual(['1 DOWNLOADING']);
    expect(passage.slot).toMatchObject({ toldPackageId: 'F1', offer: 2, update: { initiatedAt: LATER } });
  });

  test('U4 nothing effective: what the device runs is recorded, and nothing moves', () => {
    const ended = inFlight('F1', 'CANCELED', { result: 'UNASSIGNED', finishedAt: NOW });
    const passage = run(ended, [{ state: 'UPDATED', title: 'fw', version: 'F1' }], null);
    expect(storyOf(passage)).toEqual([]);
    expect(passage.slot.current.version).toBe('F1');
  });

  describe('U4 after taking over from F0', () => {
    const deaf = inFlight('F1', 'INITIATED', { deaf: true, tookOver: { packageId: 'F0', title: 'fw', version: 'F0' } });

    test('a late report for the former package moves nothing', () => {
      expect(storyOf(run(deaf, [{ state: 'DOWNLOADED' }, { state: 'FAILED' }, { state: 'UPDATED' }]))).toEqual([]);
    });

    test('the former package finished: the offer is repeated', () => {
      const passage = run(deaf, [{ state: 'UPDATED', title: 'fw', version: 'F0' }]);
      expect(storyOf(passage)).toEqual([]);
      expect(passage.slot.offer).toBe(2);
    });

    test('the first DOWNLOADING is heard, and everything after it', () => {
      const passage = run(deaf, [{ state: 'DOWNLOADING' }, { state: 'FAILED', error: 'words' }]);
      expect(storyOf(passage)).toEqual(['1 DOWNLOADING', '1 FAILED DEVICE_FAILED']);
    });

    test('the former version after the start: back to INITIATED and offered again', () => {
      const passage = run(deaf, [{ state: 'DOWNLOADING' }, { state: 'UPDATED', version: 'F0' }]);
      expect(storyOf(passage)).toEqual(['1 DOWNLOADING', '1 INITIATED']);
      expect(passage.slot.offer).toBe(2);
    });
  });
});
