/**
 * What this process knows of slots and the database does not yet: bytes that went out, offers that arrived. No chunk and no offer
 * costs a write of its own: they are written with the device's next report, or at the next flush. A process that is killed loses
 * at most a flush interval of them: an offer is then repeated, and progress is behind until the update ends.
 */
import type { PackageType } from '../../prisma/client/enums.ts';
import { openUpdate } from '../domain/passage.ts';
import type { Passage } from '../domain/passage.ts';
import type { Slot, Update } from '../domain/slot.ts';
import { sizeOf, union, withRange } from './byte-ranges.ts';
import type { ByteRanges } from './byte-ranges.ts';
import type { ByteRange } from '../domain/ports.ts';

export interface UnwrittenLimits {
  readonly servedRangesMax: number;
  readonly cacheEntriesMax: number;
}

/** Bytes of one package that went to one device. */
interface Served {
  readonly packageId: string;
  /** Not written yet. */
  fresh: ByteRanges;
  /** What was written last: for which update, how many bytes, and which. */
  written: Written | null;
}

interface Written {
  readonly updateId: string;
  readonly bytes: number;
  readonly ranges: ByteRanges;
}

interface Delivered {
  readonly offer: number;
  readonly at: Date;
}

export class Unwritten {
  readonly #limits: UnwrittenLimits;
  readonly #served = new Map<string, Served>();
  readonly #delivered = new Map<string, Delivered>();
  /** Devices with something to write, by type. */
  readonly #dirty = new Map<string, Set<PackageType>>();

  constructor(limits: UnwrittenLimits) {
    this.#limits = limits;
  }

  served(deviceId: string, type: PackageType, packageId: string, range: ByteRange): void {
    if (range.end <= range.start) return;
    const key = keyOf(deviceId, type);
    const known = this.#served.get(key);
    const served = known?.packageId === packageId ? known : { packageId, fresh: [], written: null };
    served.fresh = withRange(served.fresh, range, this.#limits.servedRangesMax);
    this.#put(this.#served, key, served);
    this.#mark(deviceId, type);
  }

  delivered(deviceId: string, type: PackageType, offer: number, at: Date): void {
    this.#put(this.#delivered, keyOf(deviceId, type), { offer, at });
    this.#mark(deviceId, type);
  }

  /** The slot as it will be once what is unwritten is written. */
  overlay(slot: Slot): Slot {
    return withDelivery(slot, this.#delivered.get(keyOf(slot.deviceId, slot.type)));
  }

  /** Devices of which something is unwritten. */
  devices(): string[] {
    return [...this.#dirty.keys()];
  }

  types(deviceId: string): readonly PackageType[] {
    return [...(this.#dirty.get(deviceId) ?? [])];
  }

  /**
   * Takes what is unwritten of a locked slot into its passage. One call at a time for a slot; `settle` must follow, whether or
   * not the passage was committed.
   */
  apply({ slot, events }: Passage): { passage: Passage; settle: (isCommitted: boolean) => void } {
    const key = keyOf(slot.deviceId, slot.type);
    this.#unmark(slot.deviceId, slot.type);
    const delivered = this.#delivered.get(key);
    const served = this.#served.get(key);
    const fresh = served?.fresh ?? [];
    if (served !== undefined) served.fresh = [];
    const open = openUpdate(slot);
    // Bytes of what is no longer open, or no longer meant, move nothing.
    const counts = fresh.length > 0 && open?.packageId === served?.packageId;
    const written = served !== undefined && open !== undefined && counts ? this.#count(served, fresh, open) : null;

    const settle = (isCommitted: boolean): void => {
      if (isCommitted) {
        if (this.#delivered.get(key) === delivered) this.#delivered.delete(key);
        if (served !== undefined && written !== null) served.written = written;
      } else {
        if (served !== undefined) served.fresh = union(fresh, served.fresh, this.#limits.servedRangesMax);
        this.#mark(slot.deviceId, slot.type);
      }
    };
    const after = withDelivery(slot, delivered);
    // A device that fetches this very package means this update.
    const update =
      open === undefined || written === null ? slot.update : { ...open, bytesServed: written.bytes, deaf: false };
    return { passage: { events, slot: update === slot.update ? after : { ...after, update } }, settle };
  }

  /** The device is gone. */
  forget(deviceId: string): void {
    for (const type of this.types(deviceId)) {
      this.#served.delete(keyOf(deviceId, type));
      this.#delivered.delete(keyOf(deviceId, type));
    }
    this.#dirty.delete(deviceId);
  }

  #count({ written }: Served, fresh: ByteRanges, open: Update): Written {
    // Not where we left it: a new attempt, a restart of ours, or another node served too. What is written then stands for the
    // beginning of the package, which is exact for every device that fetches in order.
    const isOurs = written?.updateId === open.id && written.bytes === open.bytesServed;
    const ranges = union(
      isOurs ? written.ranges : [{ start: 0, end: open.bytesServed }],
      fresh,
      this.#limits.servedRangesMax,
    );
    return { updateId: open.id, bytes: Math.min(sizeOf(ranges), open.bytesTotal ?? Infinity), ranges };
  }

  #mark(deviceId: string, type: PackageType): void {
    const types = this.#dirty.get(deviceId);
    if (types === undefined) this.#dirty.set(deviceId, new Set([type]));
    else types.add(type);
  }

  #unmark(deviceId: string, type: PackageType): void {
    const types = this.#dirty.get(deviceId);
    types?.delete(type);
    if (types?.size === 0) this.#dirty.delete(deviceId);
  }

  /** Set anew, so that what was quiet for longest comes first, and goes first when room is needed. */
  #put<V>(map: Map<string, V>, key: string, value: V): void {
    map.delete(key);
    map.set(key, value);
    if (map.size <= this.#limits.cacheEntriesMax) return;
    const [quietest] = map.keys();
    if (quietest !== undefined) map.delete(quietest);
  }
}

function withDelivery(slot: Slot, delivered: Delivered | undefined): Slot {
  if (delivered === undefined || delivered.offer < slot.deliveredOffer) return slot;
  return { ...slot, deliveredOffer: delivered.offer, deliveredAt: delivered.at };
}

function keyOf(deviceId: string, type: PackageType): string {
  return `${deviceId} ${type}`;
}
