/** Whether what is shown is live, and when to try again if it is not. */
import { createSignal, untrack } from 'solid-js';
import type { Accessor } from 'solid-js';
import { serverTime } from './clock.ts';

export type Standing =
  | { readonly kind: 'connecting' }
  | { readonly kind: 'live' }
  | {
      readonly kind: 'lost';
      /** When the server was last heard, in ms since 1970; null: never. */
      readonly asOf: number | null;
      /** When the next attempt begins; null while one is under way. */
      readonly retryAt: number | null;
    };

const RETRY_MIN_MS = 500;
const RETRY_MAX_MS = 10_000;
/** Of each wait: a restarted server is not asked by everybody at once. */
const RETRY_SPREAD = 0.25;

export class Connection {
  readonly standing: Accessor<Standing>;
  readonly #setStanding: (standing: Standing) => void;
  #isLive = false;
  #heardAt: number | null = null;
  #attempts = 0;
  #waiting: { readonly over: Promise<void>; readonly end: () => void } | null = null;

  constructor() {
    const [standing, setStanding] = createSignal<Standing>({ kind: 'connecting' });
    this.standing = standing;
    this.#setStanding = (next) => {
      this.#isLive = next.kind === 'live';
      setStanding(next);
    };
  }

  /** Of this moment, for whoever does not want to be told of the next. */
  get isLive(): boolean {
    return this.#isLive;
  }

  heard(): void {
    this.#heardAt = serverTime();
  }

  opened(): void {
    this.#attempts = 0;
    this.heard();
    this.#setStanding({ kind: 'live' });
  }

  lost(): void {
    this.#setStanding({ kind: 'lost', asOf: this.#heardAt, retryAt: null });
  }

  /** Nobody listens any more. */
  idle(): void {
    this.#heardAt = null;
    this.#setStanding({ kind: 'connecting' });
  }

  /** Resolves when it is time to try again: for everybody who waits at the same moment. */
  again(): Promise<void> {
    this.#waiting ??= this.#wait();
    return this.#waiting.over;
  }

  /** @returns whether somebody was waiting; else an attempt is under way */
  tryNow(): boolean {
    const isWaiting = this.#waiting !== null;
    this.#waiting?.end();
    return isWaiting;
  }

  #wait(): { over: Promise<void>; end: () => void } {
    const spread = 1 + RETRY_SPREAD * (2 * Math.random() - 1);
    const ms = Math.min(RETRY_MAX_MS, RETRY_MIN_MS * 2 ** this.#attempts) * spread;
    this.#attempts += 1;
    this.#setRetryAt(serverTime() + ms);
    let resolve = (): void => {};
    const over = new Promise<void>((done) => (resolve = done));
    const end = (): void => {
      clearTimeout(timer);
      this.#waiting = null;
      this.#setRetryAt(null);
      resolve();
    };
    const timer = setTimeout(end, ms);
    return { over, end };
  }

  #setRetryAt(retryAt: number | null): void {
    const standing = untrack(this.standing);
    if (standing.kind === 'lost') this.#setStanding({ ...standing, retryAt });
  }
}
