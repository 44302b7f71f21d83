/**
 * Slows wrong passwords, per account and per address. A few are free; from then on each failure doubles the wait. Counted for
 * addresses without an account too, so that slowness tells nothing. In memory, and bounded: the longest unused key goes first.
 */
import { RateLimitedError } from './errors.ts';

export interface SignInLimits {
  /** Failures before the first wait. */
  readonly signInFailuresFree: number;
  /** The same for an address, behind which many people may sit. */
  readonly signInAddressFailuresFree: number;
  readonly signInWaitMaxMs: number;
  /** After so long without a failure all are forgiven. */
  readonly signInForgetMs: number;
  /** Accounts and addresses that are remembered. */
  readonly signInKeysMax: number;
}

const WAIT_FIRST_MS = 1_000;

interface Failures {
  readonly count: number;
  readonly at: number;
  readonly until: number;
}

export class SignInAttempts {
  readonly #limits: SignInLimits;
  /** In the order of their last failure. */
  readonly #failures = new Map<string, Failures>();

  constructor(limits: SignInLimits) {
    this.#limits = limits;
  }

  /**
   * Counts an attempt as failed until `succeed` takes it back: attempts that run side by side are all counted.
   * @throws RateLimitedError before the password is looked at
   */
  begin(email: string, address: string, now: number): void {
    const keys = keysOf(email, address);
    const waitMs = Math.max(...keys.map((key) => (this.#failures.get(key)?.until ?? 0) - now));
    if (waitMs > 0) throw new RateLimitedError('Too many attempts. Wait a moment and try again.', waitMs);
    const [account, place] = keys;
    this.#fail(account, this.#limits.signInFailuresFree, now);
    this.#fail(place, this.#limits.signInAddressFailuresFree, now);
  }

  /** The account is forgiven all, the address this one attempt: who knows one password may yet guess at others. */
  succeed(email: string, address: string): void {
    const [account, place] = keysOf(email, address);
    this.#failures.delete(account);
    const failures = this.#failures.get(place);
    if (failures === undefined) return;
    if (failures.count <= 1) this.#failures.delete(place);
    else this.#failures.set(place, { ...failures, count: failures.count - 1, until: 0 });
  }

  #fail(key: string, free: number, now: number): void {
    const former = this.#failures.get(key);
    const isForgotten = former === undefined || now - former.at > this.#limits.signInForgetMs;
    const count = isForgotten ? 1 : former.count + 1;
    const waitMs = count <= free ? 0 : Math.min(WAIT_FIRST_MS * 2 ** (count - free - 1), this.#limits.signInWaitMaxMs);
    this.#failures.delete(key);
    this.#failures.set(key, { count, at: now, until: now + waitMs });
    const [oldest] = this.#failures.keys();
    if (this.#failures.size > this.#limits.signInKeysMax && oldest !== undefined) this.#failures.delete(oldest);
  }
}

function keysOf(email: string, address: string): [string, string] {
  return [`account ${email.trim().toLowerCase().slice(0, 320)}`, `address ${address}`];
}
