/**
 * What is due to a device that listens: told once (an event), offered at least once (from the slot, never from the event),
 * delivered when the device has acknowledged it. Pure.
 */
import { openUpdate } from './passage.ts';
import type { Slot } from './slot.ts';

export type Due =
  /** Wait for the next change. */
  | 'NOTHING'
  /** The attributes of the package told last. */
  | 'VALUES'
  /** The attributes were withdrawn. */
  | 'DELETION';

/** @param now milliseconds since 1970 */
export function dueTo(slot: Slot, now: number, offerRepeatMs: number): Due {
  const isUndelivered = slot.deliveredOffer < slot.offer;
  if (slot.toldPackageId === null) return isUndelivered ? 'DELETION' : 'NOTHING';
  // The attributes still show the package that this update replaces: until its turn comes there is nothing to say. After an
  // operator's cancel there is nothing to begin.
  if (slot.update?.state === 'QUEUED' || slot.update?.state === 'CANCELED') return 'NOTHING';
  if (isUndelivered) return 'VALUES';
  const repeatAt = repeatsAt(slot, offerRepeatMs);
  return repeatAt !== null && now >= repeatAt ? 'VALUES' : 'NOTHING';
}

/** A device that heard of its update and does not begin hears of it again. @returns ms since 1970, or null for never */
export function repeatsAt(slot: Slot, offerRepeatMs: number): number | null {
  if (slot.deliveredAt === null || openUpdate(slot)?.state !== 'INITIATED') return null;
  return slot.deliveredAt.getTime() + offerRepeatMs;
}
