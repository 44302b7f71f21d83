/** What a device's words do to its slot. Pure: parsed steps in, a passage out. */
import { moveTo, open, show } from './passage.ts';
import type { Passage } from './passage.ts';
import { runs } from './slot.ts';
import type { Effective, PackageName, Slot, Update } from './slot.ts';
import { outcomeOf } from './update-state.ts';
import type { Report, Standing } from './update-state.ts';

/** The states that a device may report. IDLE says nothing and does not come this far. */
export type ReportedState = 'DOWNLOADING' | 'DOWNLOADED' | 'VERIFIED' | 'UPDATING' | 'UPDATED' | 'FAILED';

/** What one message says of one package type at one instant. */
export interface ReportStep {
  /** The device's clock, ms since 1970; null where it said none. */
  readonly ts: number | null;
  readonly title?: string;
  readonly version?: string;
  readonly state?: ReportedState;
  /** The device's own words. */
  readonly error?: string;
}

/** Applies one step to a reconciled slot. */
export function applyStep(passage: Passage, effective: Effective | null, step: ReportStep, now: Date): Passage {
  const last = passage.slot.update?.reportedTs ?? null;
  if (step.ts !== null && last !== null && step.ts < last) return passage;

  const isMatch = effective !== null && matches(step, effective);
  const recorded = record(passage, step, isMatch ? effective : null, now);
  const report = reportOf(step, isMatch);
  const update = recorded.slot.update;
  if (report === null || effective === null || update === null) return recorded;

  const outcome = outcomeOf(standingOf(update, effective), report, {
    deaf: update.deaf,
    resent: update.resent,
    saysDownloading: step.state === 'DOWNLOADING',
    otherIsFormer: update.tookOver !== null && matches(step, update.tookOver),
    isCurrent: runs(recorded.slot, effective),
    served: update.bytesServed > 0,
  });
  const at = step.ts === null ? null : new Date(step.ts);
  switch (outcome.kind) {
    case 'SIGN_OF_LIFE':
      return recorded;
    case 'OFFER_AGAIN':
      return show(recorded, update.packageId, true);
    case 'MOVE': {
      const moved = moveTo(recorded, { ...outcome, error: errorOf(step, outcome.result), at }, now);
      return outcome.state === 'INITIATED' ? show(moved, update.packageId, true) : moved;
    }
    case 'NEXT_ATTEMPT':
      return open(recorded, effective, { ...outcome, at }, now, {
        attempt: update.attempt + 1,
        reportedTs: update.reportedTs,
      });
  }
}

/** An absent title counts as equal; an absent version never does. Versions are text: 1.10 is not 1.1. */
function matches(step: ReportStep, target: PackageName): boolean {
  return step.version === target.version && (step.title === undefined || step.title === target.title);
}

function reportOf(step: ReportStep, isMatch: boolean): Report | null {
  if (isMatch) return 'MATCH';
  if (step.version === undefined) return step.state ?? null;
  if (step.state === 'UPDATED') return 'UPDATED_OTHER';
  return step.state ?? 'OTHER';
}

/** What the device runs, and its clock, before anything is concluded from it. `matched` lends the title that the step left out. */
function record(passage: Passage, step: ReportStep, matched: PackageName | null, now: Date): Passage {
  const { slot } = passage;
  const current = currentAfter(slot, step, matched, now);
  const update = updateAfter(slot.update, step, now);
  return current === slot.current && update === slot.update
    ? passage
    : { ...passage, slot: { ...slot, current, update } };
}

/** Devices repeat what they run with every message; the same words are written again after this long only. */
const REPEATED_AFTER_MS = 300_000;

function currentAfter({ current }: Slot, step: ReportStep, matched: PackageName | null, now: Date): Slot['current'] {
  if (step.title === undefined && step.version === undefined) return current;
  const title = step.title ?? matched?.title ?? current.title;
  const version = step.version ?? current.version;
  const isRepeated = title === current.title && version === current.version;
  const age = current.reportedAt === null ? Infinity : now.getTime() - current.reportedAt.getTime();
  return isRepeated && age < REPEATED_AFTER_MS ? current : { title, version, reportedAt: now };
}

/** A clock that runs further ahead than this is wrong. */
const AHEAD_MAX_MS = 60_000;

/** Where the device's clock stands. One that is far ahead is not remembered: set right, it would silence every later report. */
function updateAfter(update: Update | null, { ts }: ReportStep, now: Date): Update | null {
  if (update === null || ts === null || ts === update.reportedTs || ts > now.getTime() + AHEAD_MAX_MS) return update;
  return { ...update, reportedTs: ts };
}

function standingOf(update: Update, effective: Effective): Standing {
  if (update.packageId !== effective.packageId) return 'NOTHING_EFFECTIVE';
  if (update.result === 'TIMED_OUT') return 'TIMED_OUT';
  // No update is ever NONE: the database refuses it.
  return update.state as Exclude<Update['state'], 'NONE'>;
}

function errorOf(step: ReportStep, result: Update['result']): string | null {
  if (result === 'DEVICE_FAILED') return step.error ?? null;
  if (result !== 'INTERRUPTED') return null;
  return step.error ?? `The device says UPDATED but runs ${[step.title, step.version].filter(Boolean).join(' ')}.`;
}
