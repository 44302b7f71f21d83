/**
 * One simulated device. It reports what it runs, listens for its shared attributes, and installs what they announce:
 * firmware and software side by side, one installation of each at a time.
 *
 * What the server acknowledged is kept in `reports`, in order, so that a test can hold the database against it. Whatever
 * is not acknowledged is said again, until the server answers or the device is switched off.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { Backoff } from './backoff.ts';
import { factoryImage } from './habits.ts';
import { install } from './installation.ts';
import type { Ending, ReportedState } from './installation.ts';
import { attributeKeys, isSame, offerOf } from './offer.ts';
import type { Offer, Running } from './offer.ts';
import { Reporter } from './reporter.ts';
import type { Report } from './reporter.ts';
import { PREFIX } from './transport.ts';
import type { Attributes, AttributesNews, DeviceTransport, PackageType } from './transport.ts';

export interface Behaviour {
  readonly seed: number;
  /** Probability, from 0 to 1, that an attempt fails. */
  readonly fail: number;
  /** Divides the time that a device takes over each step. */
  readonly speed: number;
  /** Bytes in a chunk; null: drawn anew for each attempt. */
  readonly chunkBytes: number | null;
  readonly types: readonly PackageType[];
}

/** OFF until the server knows what runs; CURRENT where the attributes announce what runs already. */
export type Standing = 'OFF' | 'WAITING' | ReportedState | 'CURRENT';

/** What became known of the device just now. */
export type DeviceEvent =
  | { readonly kind: 'reported'; readonly report: Report }
  | { readonly kind: 'fetched'; readonly type: PackageType; readonly bytes: number }
  | { readonly kind: 'standing'; readonly type: PackageType; readonly standing: Standing }
  | { readonly kind: 'unavailable'; readonly reason: string };

/** A long poll asks to be answered within this; what official clients use. */
const LISTEN_MS = 60_000;
/** After an interruption, on which an answer may have been lost: the attributes are read once nothing came within this. */
const LISTEN_AGAIN_MS = 1_000;

interface Slot {
  current: Running;
  standing: Standing;
  attempts: number;
  /** Not tried again until it is pushed again or the device restarts. */
  failed: Offer | null;
  installing: Promise<void> | null;
}

export class SimulatedDevice {
  readonly name: string;
  readonly index: number;
  readonly behaviour: Behaviour;
  readonly #backoff: Backoff;
  readonly #observe: (event: DeviceEvent, device: SimulatedDevice) => void;
  readonly #reporter: Reporter;
  readonly #slots: ReadonlyMap<PackageType, Slot>;
  readonly #waiters = new Set<() => void>();
  /** The shared attributes as far as the device has heard. */
  #attributes: Attributes = {};
  #newsHeard = 0;

  constructor(
    identity: { readonly name: string; readonly index: number },
    behaviour: Behaviour,
    transport: DeviceTransport,
    observe: (event: DeviceEvent, device: SimulatedDevice) => void = () => {},
  ) {
    this.name = identity.name;
    this.index = identity.index;
    this.behaviour = behaviour;
    this.#observe = observe;
    this.#backoff = new Backoff(transport, behaviour.seed, this.index, (reason) =>
      this.#tell({ kind: 'unavailable', reason }),
    );
    this.#reporter = new Reporter(this.#backoff, behaviour.seed, this.index, (report) =>
      this.#tell({ kind: 'reported', report }),
    );
    const asMade = { standing: 'OFF', attempts: 0, failed: null, installing: null } as const;
    const current = (type: PackageType): Running => factoryImage(type, behaviour.seed, this.index);
    this.#slots = new Map(behaviour.types.map((type) => [type, { ...asMade, current: current(type) }]));
  }

  /** Acknowledged, oldest first. */
  get reports(): readonly Report[] {
    return this.#reporter.reports;
  }

  current(type: PackageType): Running {
    return this.#slot(type).current;
  }

  standing(type: PackageType): Standing {
    return this.#slot(type).standing;
  }

  /** Whether nothing is left to do about what was announced so far. */
  get hasEnded(): boolean {
    return [...this.#slots.values()].every(({ standing }) => ['UPDATED', 'FAILED', 'CURRENT'].includes(standing));
  }

  /** Resolves once the condition holds, which is looked at with every event of the device. */
  async until(condition: (device: this) => boolean): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve) => {
      const look = (): void => {
        if (!condition(this)) return;
        this.#waiters.delete(look);
        resolve();
      };
      this.#waiters.add(look);
    });
  }

  /**
   * Power on, until the signal switches it off. It may be switched on again: what it runs is in its flash, all else
   * is forgotten.
   * @throws Refused where the server does not take it
   */
  async run(signal: AbortSignal): Promise<void> {
    const power = new AbortController();
    const switchOff = (): void => power.abort(signal.reason);
    signal.addEventListener('abort', switchOff, { once: true });
    if (signal.aborted) switchOff();
    try {
      await this.#live(power);
    } catch (error) {
      if (!signal.aborted) throw power.signal.aborted ? power.signal.reason : error;
    } finally {
      signal.removeEventListener('abort', switchOff);
      power.abort();
      for (const { installing } of this.#slots.values()) await installing;
    }
  }

  async #live(power: AbortController): Promise<void> {
    this.#attributes = {};
    for (const [type, slot] of this.#slots) {
      slot.failed = null;
      this.#stand(type, slot, 'OFF');
    }
    const running = new Map([...this.#slots].map(([type, { current }]) => [type, current]));
    await this.#reporter.reportCurrent(running, power.signal);
    for (const [type, slot] of this.#slots) this.#stand(type, slot, 'WAITING');
    await this.#readAttributes(power);
    for (;;) {
      const news = await this.#listen(power.signal);
      this.#newsHeard += 1;
      // Between two polls ThingsBoard loses what it has to say.
      if (news.kind === 'timeout') await this.#readAttributes(power);
      else this.#hear(news, power);
    }
  }

  #listen(signal: AbortSignal): Promise<AttributesNews> {
    let timeoutMs = LISTEN_MS;
    return this.#backoff.untilAnswered(signal, (to) => {
      const asked = timeoutMs;
      timeoutMs = LISTEN_AGAIN_MS;
      return to.awaitAttributes(asked, signal);
    });
  }

  #hear(news: Exclude<AttributesNews, { kind: 'timeout' }>, power: AbortController): void {
    if (news.kind === 'deleted') {
      const kept = Object.entries(this.#attributes).filter(([key]) => !news.keys.includes(key));
      return this.#learn(Object.fromEntries(kept), power);
    }
    for (const [type, slot] of this.#slots) if (`${PREFIX[type]}_title` in news.values) slot.failed = null;
    this.#learn({ ...this.#attributes, ...news.values }, power);
  }

  async #readAttributes(power: AbortController): Promise<void> {
    const keys = this.behaviour.types.flatMap(attributeKeys);
    let heardBefore: number;
    let attributes: Attributes;
    do {
      heardBefore = this.#newsHeard;
      attributes = await this.#backoff.untilAnswered(power.signal, (to) => to.getAttributes(keys, power.signal));
      // News that came in between may be newer than this answer.
    } while (heardBefore !== this.#newsHeard);
    this.#learn(attributes, power);
  }

  #learn(attributes: Attributes, power: AbortController): void {
    this.#attributes = attributes;
    for (const [type, slot] of this.#slots) this.#consider(type, slot, power);
  }

  /** Begins an installation where one is called for. */
  #consider(type: PackageType, slot: Slot, power: AbortController): void {
    const offer = offerOf(type, this.#attributes);
    if (slot.installing !== null || power.signal.aborted || offer === null) return;
    if (isSame(offer, slot.current)) {
      if (slot.standing === 'WAITING') this.#stand(type, slot, 'CURRENT');
      return;
    }
    if (isSame(offer, slot.failed)) return;
    slot.attempts += 1;
    slot.installing = this.#attempt(offer, slot, power);
  }

  /** Never rejects: where the server refuses the device, the whole of it is switched off for that reason. */
  async #attempt(offer: Offer, slot: Slot, power: AbortController): Promise<void> {
    try {
      const ending = await this.#install(offer, slot, power);
      if (ending === 'FAILED') slot.failed = offer;
      if (ending === 'ABANDONED') this.#stand(offer.type, slot, 'WAITING');
    } catch (error) {
      power.abort(error);
    }
    slot.installing = null;
    this.#consider(offer.type, slot, power);
  }

  #install(offer: Offer, slot: Slot, power: AbortController): Promise<Ending> {
    const { type } = offer;
    const { signal } = power;
    return install(offer, slot.attempts, {
      ...this.behaviour,
      index: this.index,
      running: slot.current.title === null ? 'the former image' : `${slot.current.title} ${slot.current.version}`,
      isWanted: () => isSame(offer, offerOf(type, this.#attributes)),
      readAttributes: () => this.#readAttributes(power),
      think: async (ms) => {
        await delay(ms / this.behaviour.speed, undefined, { signal });
      },
      report: async (state, error) => {
        await this.#reporter.reportState({ type, state, error: error ?? null, current: slot.current }, signal);
        this.#stand(type, slot, state);
      },
      fetchChunk: async (request) => {
        const chunk = await this.#backoff.untilAnswered(signal, (to) => to.fetchChunk(request, signal));
        this.#tell({ kind: 'fetched', type, bytes: chunk.length });
        return chunk;
      },
      reboot: ({ title, version }) => (slot.current = { title, version }),
    });
  }

  #stand(type: PackageType, slot: Slot, standing: Standing): void {
    slot.standing = standing;
    this.#tell({ kind: 'standing', type, standing });
  }

  #tell(event: DeviceEvent): void {
    this.#observe(event, this);
    for (const look of this.#waiters) look();
  }

  #slot(type: PackageType): Slot {
    const slot = this.#slots.get(type);
    if (slot === undefined) throw new RangeError(`${this.name} has no ${type}`);
    return slot;
  }
}
