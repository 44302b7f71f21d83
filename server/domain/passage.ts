/**
 * A slot on its way through one transaction: what it has become, and the events that led there. Pure: each function takes a
 * passage and returns the next, and `domain/update.ts` writes the last.
 */
import { v7 as uuid } from 'uuid';
import type { UpdateResult, UpdateState } from '../../prisma/client/enums.ts';
import type { Effective, Slot, Update } from './slot.ts';
import { isInFlight, isOpen } from './update-state.ts';

export interface Passage {
  readonly slot: Slot;
  readonly events: readonly PassageEvent[];
}

/** An update as it stood right after one state change. */
export interface PassageEvent {
  readonly update: Update;
  /** The device's own instant, where it said one. */
  readonly at: Date | null;
}

export function begin(slot: Slot): Passage {
  return { slot, events: [] };
}

/** The latest update if it is open, else undefined. */
export function openUpdate(slot: Slot): Update | undefined {
  return slot.update !== null && isOpen(slot.update.state) ? slot.update : undefined;
}

export interface Ending {
  readonly state: UpdateState;
  readonly result: UpdateResult | null;
  readonly error?: string | null;
  /** The device's instant. */
  readonly at?: Date | null;
}

/** The latest update changes its state, with an event. */
export function moveTo(passage: Passage, to: Ending, clock: Date): Passage {
  const { slot } = passage;
  const now = notBefore(slot.stateAt, clock);
  const update = slot.update;
  if (update === null) throw new Error(`slot ${slot.deviceId} ${slot.type} has no update to move`);
  const moved: Update = {
    ...update,
    state: to.state,
    result: to.result,
    error: to.error ?? null,
    revision: update.revision + 1,
    initiatedAt: update.initiatedAt ?? (to.state === 'CANCELED' ? null : now),
    finishedAt: to.result === null ? null : now,
    deaf: update.deaf && (to.state === 'INITIATED' || to.state === 'CANCELED'),
  };
  return append(passage, moved, to.at ?? null, now);
}

/** A new update becomes the latest, with an event for the state in which it begins. What was open has been ended before. */
export function open(
  passage: Passage,
  effective: Effective,
  to: Ending,
  clock: Date,
  its: Partial<Update> = {},
): Passage {
  const now = notBefore(passage.slot.stateAt, clock);
  const update: Update = {
    id: uuid(),
    packageId: effective.packageId,
    title: effective.title,
    version: effective.version,
    assignmentId: effective.assignmentId,
    attempt: 1,
    state: to.state,
    result: to.result,
    error: to.error ?? null,
    revision: 1,
    queuedAt: now,
    initiatedAt: to.state === 'QUEUED' ? null : now,
    finishedAt: to.result === null ? null : now,
    reportedTs: null,
    bytesServed: 0,
    bytesTotal: effective.dataSize,
    tookOver: null,
    deaf: false,
    resent: false,
    ...its,
  };
  return append(passage, update, to.at ?? null, now);
}

/** The shared attributes show another package, or none, from now on. Counted as an offer only if the device is to hear of it. */
export function show(passage: Passage, packageId: string | null, isOffer: boolean): Passage {
  const { slot } = passage;
  if (slot.toldPackageId === packageId && !isOffer) return passage;
  return { ...passage, slot: { ...slot, toldPackageId: packageId, offer: slot.offer + (isOffer ? 1 : 0) } };
}

/** Whoever waited for the slot's lock has read the clock before; a slot's history must not go back in time all the same. */
function notBefore(last: Date, clock: Date): Date {
  return last > clock ? last : clock;
}

function append(passage: Passage, update: Update, at: Date | null, now: Date): Passage {
  const slot = { ...passage.slot, update, stateAt: now };
  const next = { slot, events: [...passage.events, { update, at }] };
  if (update.initiatedAt === null || update.state === 'CANCELED') return next;
  // A device that leaves the queue on its own began to download this package: the attributes must not go on to show another. It may
  // have begun for an update before this one and have read of the other since, so it is offered. Who tells offers anyway.
  const isOffer = slot.toldPackageId !== update.packageId && isInFlight(update.state) && update.state !== 'INITIATED';
  return show(next, update.packageId, isOffer);
}
