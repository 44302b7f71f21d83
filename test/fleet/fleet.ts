/** Many simulated devices: switched on at a bounded rate, off when each has ended or all are stopped. */
import { setTimeout as delay } from 'node:timers/promises';
import { SimulatedDevice } from './device.ts';
import type { Behaviour, DeviceEvent, Standing } from './device.ts';
import { Refused } from './transport.ts';
import type { DeviceTransport } from './transport.ts';

export interface Credential {
  readonly name: string;
  readonly accessToken: string;
}

export interface FleetOptions {
  readonly credentials: readonly Credential[];
  readonly transportFor: (credential: Credential) => DeviceTransport;
  readonly behaviour: Behaviour;
  /** Devices switched on in a second. */
  readonly startsPerSecond: number;
  /** Devices stay on after their end, for what is assigned next, until the fleet is stopped. */
  readonly stays: boolean;
  readonly observe?: (event: DeviceEvent, device: SimulatedDevice) => void;
}

export interface Summary {
  readonly deviceCount: number;
  /** Counted by device and package type. */
  readonly standings: Readonly<Record<Standing, number>>;
  readonly reportsAcknowledged: number;
  readonly bytesFetched: number;
  /** Tries that the server did not answer. */
  readonly triesFailed: number;
  readonly refused: readonly { readonly device: string; readonly reason: string }[];
}

const NONE: Readonly<Record<Standing, number>> = {
  OFF: 0,
  WAITING: 0,
  DOWNLOADING: 0,
  DOWNLOADED: 0,
  VERIFIED: 0,
  UPDATING: 0,
  UPDATED: 0,
  FAILED: 0,
  CURRENT: 0,
};

export class Fleet implements AsyncDisposable {
  readonly devices: readonly SimulatedDevice[];
  /** Resolves when every device has ended or was refused, or is off after `stop`. */
  readonly ended: Promise<void>;
  readonly #options: FleetOptions;
  readonly #transports: readonly DeviceTransport[];
  readonly #switches: readonly AbortController[];
  readonly #stopped = new AbortController();
  readonly #refused: { device: string; reason: string }[] = [];
  #reportsAcknowledged = 0;
  #bytesFetched = 0;
  #triesFailed = 0;

  /** Begins to switch on at once. */
  constructor(options: FleetOptions) {
    this.#options = options;
    this.#transports = options.credentials.map((credential) => options.transportFor(credential));
    this.#switches = options.credentials.map(() => new AbortController());
    const observe = (event: DeviceEvent, device: SimulatedDevice): void => this.#hear(event, device);
    this.devices = this.#transports.map((transport, index) => {
      const name = options.credentials[index]?.name ?? '';
      return new SimulatedDevice({ name, index }, options.behaviour, transport, observe);
    });
    this.ended = this.#run();
  }

  get summary(): Summary {
    const standings = { ...NONE };
    for (const device of this.devices) {
      for (const type of this.#options.behaviour.types) standings[device.standing(type)] += 1;
    }
    return {
      deviceCount: this.devices.length,
      standings,
      reportsAcknowledged: this.#reportsAcknowledged,
      bytesFetched: this.#bytesFetched,
      triesFailed: this.#triesFailed,
      refused: this.#refused,
    };
  }

  /** Switches every device off, in the middle of whatever it does. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const power of this.#switches) power.abort();
    await this.ended;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    for (const transport of this.#transports) await transport[Symbol.asyncDispose]();
  }

  async #run(): Promise<void> {
    const startedAt = performance.now();
    const running: Promise<void>[] = [];
    for (const device of this.devices) {
      const aheadMs = (running.length * 1_000) / this.#options.startsPerSecond - (performance.now() - startedAt);
      await this.#pause(aheadMs);
      if (this.#stopped.signal.aborted) break;
      running.push(this.#runDevice(device));
    }
    await Promise.all(running);
  }

  /** Returns early when the fleet is stopped. */
  async #pause(ms: number): Promise<void> {
    const { signal } = this.#stopped;
    try {
      if (ms >= 1) await delay(ms, undefined, { signal });
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #runDevice(device: SimulatedDevice): Promise<void> {
    const power = this.#switches[device.index];
    if (power === undefined) return;
    try {
      await device.run(power.signal);
    } catch (error) {
      if (!(error instanceof Refused)) throw error;
      this.#refused.push({ device: device.name, reason: error.message });
    }
  }

  #hear(event: DeviceEvent, device: SimulatedDevice): void {
    if (event.kind === 'reported') this.#reportsAcknowledged += 1;
    if (event.kind === 'fetched') this.#bytesFetched += event.bytes;
    if (event.kind === 'unavailable') this.#triesFailed += 1;
    this.#options.observe?.(event, device);
    if (event.kind === 'standing' && device.hasEnded && !this.#options.stays) this.#switches[device.index]?.abort();
  }
}
