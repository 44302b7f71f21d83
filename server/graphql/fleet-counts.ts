/** Counters as of the log's head: read once for all subscribers who look at the same ones at the same moment. */
import type { Actor } from '../domain/actor.ts';
import { fleetCounts } from '../domain/fleet.ts';
import type { StateCount } from '../domain/fleet.ts';
import type { PackageType } from '../../prisma/client/enums.ts';
import type { Services } from './context.ts';

interface Reading {
  readonly head: number;
  readonly counts: Promise<StateCount[]>;
}

/** Different ones that are watched at once; beyond it some are read more than once. */
const READINGS_MAX = 1_000;

export class FleetCounts {
  readonly #services: Services;
  readonly #readings = new Map<string, Reading>();

  constructor(services: Services) {
    this.#services = services;
  }

  /** What was committed up to the log's present head is in them. */
  atHead(actor: Actor, filter: { type: PackageType; deviceProfileId: string | null }): Promise<StateCount[]> {
    const head = this.#services.eventLog.head();
    const key = [actor.tenantId, actor.customerId, filter.type, filter.deviceProfileId].join(' ');
    const known = this.#readings.get(key);
    if (known?.head === head) return known.counts;
    const counts = fleetCounts(this.#services.query, actor, filter);
    if (this.#readings.size >= READINGS_MAX) this.#readings.clear();
    this.#readings.set(key, { head, counts });
    // A failure is not to be shared with those who ask later.
    counts.catch(() => this.#readings.delete(key));
    return counts;
  }
}
