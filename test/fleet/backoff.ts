import { setTimeout as delay } from 'node:timers/promises';
import { randomOf } from './random.ts';
import type { Random } from './random.ts';
import { Unavailable } from './transport.ts';
import type { DeviceTransport } from './transport.ts';

const FIRST_MS = 100;
const LONGEST_MS = 3_000;

/** Tries again until the server answers: a device has nothing better to do. */
export class Backoff {
  readonly #transport: DeviceTransport;
  readonly #random: Random;
  readonly #retried: (reason: string) => void;

  /** `retried` hears of each failed try. */
  constructor(transport: DeviceTransport, seed: number, index: number, retried: (reason: string) => void) {
    this.#transport = transport;
    this.#random = randomOf(seed, index, 'backoff');
    this.#retried = retried;
  }

  /** @throws Refused; the signal's reason */
  async untilAnswered<T>(signal: AbortSignal, call: (transport: DeviceTransport) => Promise<T>): Promise<T> {
    for (let longestMs = FIRST_MS; ; longestMs = Math.min(longestMs * 2, LONGEST_MS)) {
      signal.throwIfAborted();
      try {
        await this.#transport.connect(signal);
        return await call(this.#transport);
      } catch (error) {
        if (!(error instanceof Unavailable)) throw error;
        this.#retried(error.message);
        // Half of it by chance, so that a fleet does not come back in one wave.
        const waitMs = error.retryAfterMs ?? longestMs / 2;
        await delay(waitMs + this.#random.fraction() * (longestMs / 2), undefined, { signal });
      }
    }
  }
}
