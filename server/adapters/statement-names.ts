/**
 * Names for the statements that come again, so that PostgreSQL plans them once for a connection. Measured on the
 * reports of devices: a batch of one takes 6 instead of 14 ms, of twenty 15 instead of 33, of two hundred the same.
 */
import { createHash } from 'node:crypto';

export class StatementNames {
  readonly #namesMax: number;
  readonly #names = new Map<string, string>();
  /** Texts that came once, the oldest first. */
  readonly #seen = new Set<string>();

  /** Of the texts that came once, as many are remembered as may have names. */
  constructor(namesMax: number) {
    this.#namesMax = namesMax;
  }

  /**
   * The same for the same text in every process; undefined for one that comes for the first time, or beyond the limit.
   */
  of(text: string): string | undefined {
    const known = this.#names.get(text);
    if (known !== undefined || this.#names.size >= this.#namesMax) return known;
    if (!this.#seen.delete(text)) {
      this.#remember(text);
      return undefined;
    }
    const name = createHash('sha256').update(text).digest('base64url');
    this.#names.set(text, name);
    return name;
  }

  #remember(text: string): void {
    for (const oldest of this.#seen) {
      if (this.#seen.size < this.#namesMax) break;
      this.#seen.delete(oldest);
    }
    this.#seen.add(text);
  }
}
