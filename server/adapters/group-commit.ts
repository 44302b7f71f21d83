/**
 * Gathers what many want to write at the same moment and commits it together: a commit costs the same for one as for two hundred.
 *
 * Whoever adds waits for the commit of its batch. A key (a device) is in at most one batch in flight, so that what it adds is
 * written in order and no two batches wait for each other's rows. A batch that fails is tried again item by item, so that a bad
 * one refuses nobody else; one that fails for a passing reason (a deadlock, a database that restarts) is tried again whole.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { UnavailableError } from '../domain/errors.ts';
import { isPassing } from './passing-error.ts';

export interface GroupCommitOptions<Item, Result> {
  readonly key: (item: Item) => string;
  /** Writes all or nothing. Called again with the same items where it failed. */
  readonly commit: (items: readonly Item[]) => Promise<readonly Result[]>;
  readonly gatherMs: number;
  readonly batchMax: number;
  readonly batchesInFlightMax: number;
  /** Items that wait, in all and of one key. */
  readonly queueMax: number;
  readonly queueOfKeyMax: number;
  /** For passing reasons; the pause doubles from `retryAfterMs` on. */
  readonly retriesMax: number;
  readonly retryAfterMs: number;
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly key: string;
  readonly resolve: (result: Result) => void;
  readonly reject: (error: unknown) => void;
}

export class GroupCommit<Item, Result> implements AsyncDisposable {
  readonly #options: GroupCommitOptions<Item, Result>;
  #queue: Waiting<Item, Result>[] = [];
  readonly #queuedOfKey = new Map<string, number>();
  readonly #keysInFlight = new Set<string>();
  readonly #batchesInFlight = new Set<Promise<void>>();
  #gathering: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(options: GroupCommitOptions<Item, Result>) {
    this.#options = options;
  }

  /**
   * Resolves once the item is committed.
   * @throws UnavailableError where too much waits already, the database stays away, or we are stopping
   */
  add(item: Item): Promise<Result> {
    const key = this.#options.key(item);
    const ofKey = this.#queuedOfKey.get(key) ?? 0;
    if (this.#isClosed) return Promise.reject(new UnavailableError('The server is stopping. Try again soon.'));
    if (this.#queue.length >= this.#options.queueMax || ofKey >= this.#options.queueOfKeyMax) {
      return Promise.reject(new UnavailableError('Too much is waiting to be written. Try again soon.'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push({ item, key, resolve, reject });
      this.#queuedOfKey.set(key, ofKey + 1);
      if (this.#queue.length >= this.#options.batchMax) this.#start();
      else this.#gathering ??= setTimeout(() => this.#start(), this.#options.gatherMs);
    });
  }

  /** Refuses what comes now and resolves when what waits is committed. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isClosed = true;
    this.#start();
    while (this.#batchesInFlight.size > 0) await Promise.all(this.#batchesInFlight);
  }

  #start(): void {
    clearTimeout(this.#gathering);
    this.#gathering = undefined;
    while (this.#batchesInFlight.size < this.#options.batchesInFlightMax) {
      const batch = this.#take();
      if (batch.length === 0) return;
      const keys = new Set(batch.map(({ key }) => key));
      for (const key of keys) this.#keysInFlight.add(key);
      const flight = this.#write(batch).finally(() => {
        this.#batchesInFlight.delete(flight);
        for (const key of keys) this.#keysInFlight.delete(key);
        // What came meanwhile has waited as long as a batch gathers.
        this.#start();
      });
      this.#batchesInFlight.add(flight);
    }
  }

  /** The oldest that may go: whose key is in no batch in flight. */
  #take(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const left: Waiting<Item, Result>[] = [];
    for (const waiting of this.#queue) {
      if (batch.length < this.#options.batchMax && !this.#keysInFlight.has(waiting.key)) batch.push(waiting);
      else left.push(waiting);
    }
    this.#queue = left;
    for (const { key } of batch) {
      const ofKey = (this.#queuedOfKey.get(key) ?? 1) - 1;
      if (ofKey === 0) this.#queuedOfKey.delete(key);
      else this.#queuedOfKey.set(key, ofKey);
    }
    return batch;
  }

  /** Never rejects: each of the batch hears its own outcome. */
  async #write(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    try {
      const results = await this.#commit(batch.map(({ item }) => item));
      batch.forEach(({ resolve }, index) => resolve(results[index] as Result));
    } catch (error) {
      if (batch.length > 1 && !(error instanceof UnavailableError)) for (const one of batch) await this.#write([one]);
      else for (const { reject } of batch) reject(error);
    }
  }

  async #commit(items: readonly Item[]): Promise<readonly Result[]> {
    for (let attempt = 0; ; attempt += 1) {
      try {
        return await this.#options.commit(items);
      } catch (error) {
        if (!isPassing(error)) throw error;
        if (attempt === this.#options.retriesMax) {
          throw new UnavailableError('The database is away. Try again soon.', { cause: error });
        }
        await delay(this.#options.retryAfterMs * 2 ** attempt);
      }
    }
  }
}
