/**
 * The end of the log as subscribers follow it: in beats, so that all who are up to date take the same batch at the same moment. A
 * batch is one object for all who want the same events, so that one execution of a document can serve them all (see
 * shared-execution.ts).
 */
import type { PackageType } from '../../prisma/client/enums.ts';
import { isWithin } from '../domain/actor.ts';
import type { Actor } from '../domain/actor.ts';
import type { LogEvent } from '../domain/ports.ts';
import type { Services } from './context.ts';
import { cursorOf, requireKept } from './cursor.ts';
import { pause } from './live.ts';

export interface UpdateEventBatch {
  readonly cursor: string;
  readonly events: readonly LogEvent[];
}

/** What a subscriber may hear of, and wants to. */
export interface Wanted {
  readonly actor: Actor;
  readonly type: PackageType | null;
  readonly deviceId: string | null;
  readonly deviceProfileId: string | null;
}

export class UpdateFeed {
  readonly #services: Services;
  #beat: Promise<void> | null = null;
  #beatAt = 0;
  #beatHead = 0;
  /** Of the log as far as it was read last. */
  readonly #batches = new Map<string, UpdateEventBatch>();
  #batchesUpTo = 0;

  constructor(services: Services) {
    this.#services = services;
  }

  /** The newest event that is known. */
  head(): number {
    return this.#services.eventLog.head();
  }

  /**
   * Resolves, for all who wait, when the log has grown, yet not before `subscriptionBatchMs` are over since the last beat; where
   * nothing happens, now and then, so that nothing is held for those who have left.
   */
  nextBeat(): Promise<void> {
    this.#beat ??= this.#wait();
    return this.#beat;
  }

  /** @returns what is wanted of the next events after `seq`, and how far that reaches; `isBehind` where there is more already */
  async read(seq: number, wanted: Wanted): Promise<{ batch: UpdateEventBatch; upTo: number; isBehind: boolean }> {
    const { eventLog, limits } = this.#services;
    requireKept(eventLog, seq);
    const { events, upTo } = await eventLog.read(seq, limits.subscriptionBatchMax);
    const isBehind = events.length === limits.subscriptionBatchMax;
    return { batch: this.#batchOf(seq, upTo, events, wanted), upTo, isBehind };
  }

  async #wait(): Promise<void> {
    const { eventLog, limits } = this.#services;
    await eventLog.changed(this.#beatHead, AbortSignal.timeout(limits.cursorRefreshMs));
    await pause(this.#beatAt + limits.subscriptionBatchMs - performance.now());
    this.#beat = null;
    this.#beatAt = performance.now();
    this.#beatHead = eventLog.head();
  }

  #batchOf(seq: number, upTo: number, events: readonly LogEvent[], wanted: Wanted): UpdateEventBatch {
    if (upTo !== this.#batchesUpTo) this.#batches.clear();
    this.#batchesUpTo = upTo;
    const { actor, type, deviceId, deviceProfileId } = wanted;
    const key = [seq, actor.tenantId, actor.customerId, type, deviceId, deviceProfileId].join(' ');
    const known = this.#batches.get(key);
    if (known !== undefined) return known;
    const batch = {
      cursor: cursorOf(this.#services.eventLog, upTo),
      events: events.filter((event) => isWanted(wanted, event)),
    };
    this.#batches.set(key, batch);
    return batch;
  }
}

function isWanted({ actor, type, deviceId, deviceProfileId }: Wanted, event: LogEvent): boolean {
  return (
    isWithin(actor, event) &&
    (type === null || event.type === type) &&
    (deviceId === null || event.deviceId === deviceId) &&
    (deviceProfileId === null || event.deviceProfileId === deviceProfileId)
  );
}
