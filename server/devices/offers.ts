/** What devices are shown of their packages, and how they hear that it changed. Built from the slot, never from an event. */
import type { PackageType } from '../../prisma/client/enums.ts';
import { UnauthenticatedError } from '../domain/errors.ts';
import { dueTo, repeatsAt } from '../domain/offer.ts';
import type { Clock } from '../domain/ports.ts';
import type { Slot } from '../domain/slot.ts';
import { isInFlight } from '../domain/update-state.ts';
import type { Credentials, Device } from './credentials.ts';
import type { LongPolls } from './long-polls.ts';
import type { Packages } from './packages.ts';
import { PREFIX, allKeys, attributesOf, inapplicableKeys } from './shared-attributes.ts';
import type { SharedAttributes } from './shared-attributes.ts';
import type { SlotReader } from './slot-reader.ts';
import type { Unwritten } from './unwritten.ts';

/** What a device is to hear of one package type. */
export interface Offer {
  readonly type: PackageType;
  /** Keys that no longer apply, to be said before the values: after an unassignment all of them, and no values. */
  readonly deleted: readonly string[];
  readonly values: SharedAttributes | null;
  /** To be called once the device has acknowledged it: until then it is offered again. */
  delivered(): void;
}

export interface Shown {
  readonly values: SharedAttributes;
  /** To be called once the answer is on its way: a device that has read of its update need not be told. */
  delivered(): void;
}

interface OffersParts {
  readonly slots: SlotReader;
  readonly packages: Packages;
  readonly unwritten: Unwritten;
  readonly longPolls: LongPolls;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly offerRepeatMs: number;
}

export class Offers {
  readonly #parts: OffersParts;

  constructor(parts: OffersParts) {
    this.#parts = parts;
  }

  /** The shared attributes of both types. @param keys all where undefined */
  async shown(device: Device, keys: ReadonlySet<string> | undefined): Promise<Shown> {
    const values: Record<string, string | number> = {};
    const learnt: Slot[] = [];
    for (const slot of await this.#slotsOf(device)) {
      const all = await this.#attributesOf(slot);
      const asked = Object.entries(all).filter(([key]) => keys === undefined || keys.has(key));
      Object.assign(values, Object.fromEntries(asked));
      if (isNewsOfUpdate(slot, values)) learnt.push(slot);
    }
    return { values, delivered: () => learnt.forEach((slot) => this.#delivered(slot)) };
  }

  /**
   * Waits until something is due to the device. At once where something is; empty after the time, or where somebody ends it.
   * @throws UnauthenticatedError as soon as the device's token is worth nothing, UnavailableError where too many wait
   */
  async next(device: Device, timeoutMs: number, signal: AbortSignal): Promise<Offer[]> {
    const { clock, longPolls, credentials, offerRepeatMs } = this.#parts;
    const until = performance.now() + timeoutMs;
    // First be told of changes, then read: what commits between the two is not missed.
    using poll = longPolls.enter(device.id);
    const end = (): void => poll.end();
    if (signal.aborted) end();
    signal.addEventListener('abort', end, { once: true });
    try {
      for (;;) {
        const slots = await this.#slotsOf(device);
        const offers = await this.#offersOf(slots);
        const left = until - performance.now();
        if (offers.length > 0 || left <= 0) return offers;
        const repeats = slots.flatMap((slot) => repeatsAt(slot, offerRepeatMs) ?? []).map((at) => at - clock.now());
        const woken = await poll.next(Math.max(1, Math.min(left, ...repeats)));
        if (woken === 'ENDED') return [];
        if (woken === 'CHANGE' && !(await credentials.isStillGood(device)))
          throw new UnauthenticatedError('The access token was withdrawn.');
      }
    } finally {
      signal.removeEventListener('abort', end);
    }
  }

  async #slotsOf(device: Device): Promise<Slot[]> {
    const situations = await this.#parts.slots.read(device.id);
    if (situations.length === 0) throw new UnauthenticatedError('The device is gone.');
    return situations.map(({ slot }) => this.#parts.unwritten.overlay(slot));
  }

  async #offersOf(slots: readonly Slot[]): Promise<Offer[]> {
    const offers: Offer[] = [];
    for (const slot of slots) {
      const due = dueTo(slot, this.#parts.clock.now(), this.#parts.offerRepeatMs);
      if (due === 'NOTHING') continue;
      const { type } = slot;
      const delivered = (): void => this.#delivered(slot);
      if (due === 'DELETION') offers.push({ type, deleted: allKeys(type), values: null, delivered });
      else {
        const values = await this.#attributesOf(slot);
        offers.push({ type, deleted: inapplicableKeys(type, values), values, delivered });
      }
    }
    return offers;
  }

  async #attributesOf({ type, toldPackageId }: Slot): Promise<SharedAttributes> {
    const shown = toldPackageId === null ? undefined : await this.#parts.packages.details(toldPackageId);
    return shown === undefined ? {} : attributesOf(type, shown);
  }

  #delivered({ deviceId, type, offer }: Slot): void {
    this.#parts.unwritten.delivered(deviceId, type, offer, new Date(this.#parts.clock.now()));
  }
}

/** The device has been told, has not been reached yet, and reads by itself which package it is. */
function isNewsOfUpdate({ type, update, offer, deliveredOffer }: Slot, answer: SharedAttributes): boolean {
  const isUndelivered = update !== null && isInFlight(update.state) && deliveredOffer < offer;
  return (
    isUndelivered && Object.hasOwn(answer, `${PREFIX[type]}_title`) && Object.hasOwn(answer, `${PREFIX[type]}_version`)
  );
}
