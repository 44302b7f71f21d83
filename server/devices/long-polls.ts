/** Devices that wait for a change of their attributes. Bounded in all and for each device. */
import { UnavailableError } from '../domain/errors.ts';
import type { LogBatch } from '../domain/ports.ts';

export type Woken =
  /** An update of the device changed. */
  | 'EVENT'
  /** The device itself changed: its token may be worth nothing now. */
  | 'CHANGE'
  | 'TIMEOUT'
  /** The device went away, or waits anew elsewhere, or we are stopping. */
  | 'ENDED';

export class LongPolls implements Disposable {
  readonly #limits: { readonly longPollsMax: number; readonly longPollsPerDeviceMax: number };
  readonly #byDevice = new Map<string, Set<LongPoll>>();
  #count = 0;
  #isEnded = false;

  constructor(limits: { readonly longPollsMax: number; readonly longPollsPerDeviceMax: number }) {
    this.#limits = limits;
  }

  /**
   * From now on no change of the device is missed. A device whose connection died without a word asks again while we still wait
   * for the old one: of too many, the oldest ends.
   * @throws UnavailableError where too many devices wait, or we are stopping
   */
  enter(deviceId: string): LongPoll {
    if (this.#isEnded) throw new UnavailableError('The server is stopping. Try again soon.');
    const ofDevice = this.#byDevice.get(deviceId) ?? new Set();
    if (ofDevice.size >= this.#limits.longPollsPerDeviceMax) {
      const [oldest] = ofDevice;
      oldest?.end();
    }
    if (this.#count >= this.#limits.longPollsMax)
      throw new UnavailableError('Too many devices are waiting. Try again soon.');
    const poll = new LongPoll(() => {
      if (!ofDevice.delete(poll)) return;
      this.#count -= 1;
      if (ofDevice.size === 0 && this.#byDevice.get(deviceId) === ofDevice) this.#byDevice.delete(deviceId);
    });
    ofDevice.add(poll);
    this.#byDevice.set(deviceId, ofDevice);
    this.#count += 1;
    return poll;
  }

  wake({ events, changes }: LogBatch): void {
    if (this.#count === 0) return;
    for (const { deviceId } of events) this.#wakeDevice(deviceId, 'EVENT');
    for (const { type, entityId } of changes) if (type === 'DEVICE') this.#wakeDevice(entityId, 'CHANGE');
  }

  [Symbol.dispose](): void {
    this.#isEnded = true;
    for (const ofDevice of [...this.#byDevice.values()]) for (const poll of [...ofDevice]) poll.end();
  }

  #wakeDevice(deviceId: string, why: Woken): void {
    for (const poll of this.#byDevice.get(deviceId) ?? []) poll.wake(why);
  }
}

export class LongPoll implements Disposable {
  readonly #leave: () => void;
  #woken: Woken | undefined;
  #resolve: (() => void) | undefined;

  constructor(leave: () => void) {
    this.#leave = leave;
  }

  /** Why it was woken since it was last asked, or is woken next. */
  async next(timeoutMs: number): Promise<Woken> {
    if (this.#woken === undefined) await this.#sleep(timeoutMs);
    const woken = this.#woken ?? 'TIMEOUT';
    if (woken !== 'ENDED') this.#woken = undefined;
    return woken;
  }

  wake(why: Woken): void {
    // The end outlasts everything, and a change of the device outlasts an event: more has to be looked at.
    if (this.#woken === undefined || why === 'ENDED' || (why === 'CHANGE' && this.#woken === 'EVENT'))
      this.#woken = why;
    this.#resolve?.();
  }

  end(): void {
    this.#leave();
    this.wake('ENDED');
  }

  [Symbol.dispose](): void {
    this.end();
  }

  #sleep(timeoutMs: number): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#resolve = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
