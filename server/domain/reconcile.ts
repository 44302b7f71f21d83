/**
 * What decides a device's target. Every writer locks the slot and asks this first: the walk over a profile, creation, move, own
 * assignment, notifier, report, deletion. It compares packages, not assignments, so an assignment of what is on its way already
 * disturbs nothing. Pure.
 */
import { moveTo, open, openUpdate, show } from './passage.ts';
import type { Passage } from './passage.ts';
import { runs } from './slot.ts';
import type { Effective, PackageName, Slot, Update } from './slot.ts';

export function reconcile(passage: Passage, effective: Effective | null, now: Date): Passage {
  const target = effective?.packageId ?? null;
  const isAimed = passage.slot.targetPackageId === target;
  const aimed = isAimed ? passage : { ...passage, slot: { ...passage.slot, targetPackageId: target } };
  if (effective === null) return withdraw(aimed, now);
  if (passage.slot.update?.packageId === target) {
    if (openUpdate(passage.slot)) return adopt(aimed, effective.assignmentId);
    // It ended while this package was effective: to begin anew is the device's or an operator's to say. If the package was
    // unassigned in between, assigning it is a new intent.
    if (isAimed) return passage;
  }
  const ended = openUpdate(passage.slot) ? moveTo(aimed, { state: 'CANCELED', result: 'SUPERSEDED' }, now) : aimed;
  if (runs(passage.slot, effective)) return alreadyCurrent(ended, effective, now);
  return open(ended, effective, { state: 'QUEUED', result: null }, now, takeOver(passage.slot, effective));
}

/** Nothing is effective: an open update ends, and the attributes are deleted. */
function withdraw(passage: Passage, now: Date): Passage {
  const ended = openUpdate(passage.slot) ? moveTo(passage, { state: 'CANCELED', result: 'UNASSIGNED' }, now) : passage;
  return show(ended, null, ended.slot.toldPackageId !== null);
}

/** The same package by another assignment: the update goes on under the new one. */
function adopt(passage: Passage, assignmentId: string): Passage {
  const { slot } = passage;
  if (slot.update === null || slot.update.assignmentId === assignmentId) return passage;
  return { ...passage, slot: { ...slot, update: { ...slot.update, assignmentId } } };
}

/** The device runs it. Should it have been told another package meanwhile, it hears of this one. */
function alreadyCurrent(passage: Passage, effective: Effective, now: Date): Passage {
  const toldOther = passage.slot.toldPackageId !== null && passage.slot.toldPackageId !== effective.packageId;
  const current = open(passage, effective, { state: 'UPDATED', result: 'ALREADY_CURRENT' }, now);
  return toldOther ? show(current, effective.packageId, true) : current;
}

/**
 * Whether the new update takes over from one of which the device knows and that did not end by the device's word: the device may
 * still be busy with it, and its late reports must not move the new one. It is inherited: F1 told, superseded by F2 that was
 * never told, superseded by F3, makes F3 take over from F1.
 */
function takeOver(slot: Slot, effective: Effective): Partial<Update> {
  const former = slot.update;
  if (former === null) return {};
  const silent = former.finishedAt === null || former.state === 'CANCELED' || former.result === 'TIMED_OUT';
  if (!silent) return {};
  const tookOver = former.initiatedAt === null ? former.tookOver : nameOf(former);
  if (tookOver === null || tookOver.packageId === effective.packageId) return {};
  return { tookOver, deaf: true };
}

function nameOf({ packageId, title, version }: PackageName): PackageName {
  return { packageId, title, version };
}
