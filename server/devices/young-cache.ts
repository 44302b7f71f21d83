/**
 * Answers that are believed for a moment. A refusal must never come from here: callers ask again before they refuse. Bounded;
 * what was put in first goes first.
 */
export class YoungCache<V> {
  readonly #ageMaxMs: number;
  readonly #entriesMax: number;
  readonly #entries = new Map<string, { readonly value: V; readonly asOf: number }>();

  constructor(limits: { readonly cacheAgeMaxMs: number; readonly cacheEntriesMax: number }) {
    this.#ageMaxMs = limits.cacheAgeMaxMs;
    this.#entriesMax = limits.cacheEntriesMax;
  }

  get(key: string): V | undefined {
    const entry = this.#entries.get(key);
    return entry !== undefined && performance.now() - entry.asOf < this.#ageMaxMs ? entry.value : undefined;
  }

  /** @param asOf performance.now() before the value was asked for: what was overtaken while on its way is no younger for it */
  set(key: string, value: V, asOf: number): void {
    this.#entries.delete(key);
    this.#entries.set(key, { value, asOf });
    if (this.#entries.size <= this.#entriesMax) return;
    const [first] = this.#entries.keys();
    if (first !== undefined) this.#entries.delete(first);
  }

  delete(key: string): void {
    this.#entries.delete(key);
  }

  clear(): void {
    this.#entries.clear();
  }
}
