/**
 * One attempt to bring a device to the package that it was offered, step by step as the official sample clients do:
 *
 *     DOWNLOADING · chunks, and one more past the end · DOWNLOADED · size and checksum · VERIFIED · UPDATING · reboot · UPDATED
 *
 * Each report is acknowledged before the next step. A download is abandoned, without a word, once something else is
 * wanted; from UPDATING on there is no way back.
 */
import { createHash, getHashes } from 'node:crypto';
import { drawFailure } from './failure.ts';
import type { Failure } from './failure.ts';
import type { Offer } from './offer.ts';
import { randomOf } from './random.ts';
import type { Random } from './random.ts';
import { Refused } from './transport.ts';
import type { ChunkRequest } from './transport.ts';

export type ReportedState = 'DOWNLOADING' | 'DOWNLOADED' | 'VERIFIED' | 'UPDATING' | 'UPDATED' | 'FAILED';
export type Ending = 'UPDATED' | 'FAILED' | 'ABANDONED';

/** What an installation needs of its device. */
export interface Host {
  readonly seed: number;
  readonly index: number;
  /** Probability that an attempt fails. */
  readonly fail: number;
  /** Bytes in a chunk; null: drawn anew for each attempt. */
  readonly chunkBytes: number | null;
  /** For the device's words. */
  readonly running: string;
  /** Whether this is still what the attributes announce, as far as the device has heard. */
  isWanted(offer: Offer): boolean;
  readAttributes(): Promise<void>;
  think(ms: number): Promise<void>;
  report(state: ReportedState, error?: string): Promise<void>;
  fetchChunk(request: ChunkRequest): Promise<Uint8Array>;
  /** The new image runs: from now on the device reports it as its own. */
  reboot(offer: Offer): void;
}

/** Milliseconds that a device takes over a step, drawn between the two. */
const THINK_MS = {
  NOTICE: [100, 1_500],
  CHUNK: [1, 20],
  DOWNLOADED: [100, 500],
  VERIFY: [200, 1_500],
  FLASH: [1_000, 4_000],
  REBOOT: [1_000, 4_000],
} as const;

const CHUNK_BITS = { min: 10, max: 16 } as const;
/** A large package is fetched in larger chunks rather than in more. */
const CHUNKS_MAX = 512;
/** Where a package's size is not told, a device refuses to go beyond this. */
const UNTOLD_SIZE_MAX = 2 ** 31;

/** The device gives up, with words of its own. */
class Failed extends Error {}
class Abandoned extends Error {}

/** `attempt` counts the device's attempts of this type: it names the stream of chance. */
export async function install(offer: Offer, attempt: number, host: Host): Promise<Ending> {
  const random = randomOf(host.seed, host.index, offer.type, attempt);
  const failure = random.chance(host.fail) ? drawFailure(random) : null;
  try {
    await new Installation(offer, host, random, failure).run();
    return 'UPDATED';
  } catch (error) {
    if (error instanceof Abandoned) return 'ABANDONED';
    if (!(error instanceof Failed)) throw error;
    await host.report('FAILED', error.message);
    return 'FAILED';
  }
}

class Installation {
  readonly #offer: Offer;
  readonly #host: Host;
  readonly #random: Random;
  readonly #failure: Failure | null;
  readonly #chunkBytes: number;
  /** Chunks with bytes in them. */
  readonly #chunks: number | null;
  /** The chunk at which the failure strikes, where it strikes at one. */
  readonly #fatalChunk: number;

  constructor(offer: Offer, host: Host, random: Random, failure: Failure | null) {
    this.#offer = offer;
    this.#host = host;
    this.#random = random;
    this.#failure = failure;
    this.#chunkBytes = chunkBytesFor(offer, host.chunkBytes, random);
    this.#chunks = offer.size === null ? null : Math.ceil(offer.size / this.#chunkBytes);
    this.#fatalChunk = random.integer(0, Math.max(0, (this.#chunks ?? 1) - 1));
  }

  async run(): Promise<void> {
    await this.#think('NOTICE');
    await this.#step('DOWNLOADING');
    const { size, checksum } = await this.#download();
    await this.#think('DOWNLOADED');
    await this.#step('DOWNLOADED');
    await this.#think('VERIFY');
    this.#verify(size, checksum);
    await this.#step('VERIFIED');
    await this.#step('UPDATING');
    await this.#think('FLASH');
    await this.#think('REBOOT');
    this.#mayStrike('UPDATED');
    this.#host.reboot(this.#offer);
    await this.#host.report('UPDATED');
  }

  async #step(state: ReportedState): Promise<void> {
    if (!this.#host.isWanted(this.#offer)) throw new Abandoned();
    this.#mayStrike(state);
    await this.#host.report(state);
  }

  async #download(): Promise<{ size: number; checksum: string }> {
    const { checksumAlgorithm, url } = this.#offer;
    if (url !== null) throw new Failed(`Cannot download from ${url}: no internet behind this gateway`);
    const algorithm = (checksumAlgorithm ?? 'none').toLowerCase();
    if (!getHashes().includes(algorithm)) throw new Failed(`Unsupported checksum algorithm: ${algorithm}`);

    const hash = createHash(algorithm);
    const sizeMax = this.#offer.size ?? UNTOLD_SIZE_MAX;
    let size = 0;
    for (let index = 0; ; index += 1) {
      const chunk = await this.#fetchChunk(index);
      if (chunk.length === 0) return { size, checksum: hash.digest('hex') };
      hash.update(chunk);
      size += chunk.length;
      if (size > sizeMax) throw new Failed(`Image is longer than the ${sizeMax} bytes announced`);
      await this.#think('CHUNK');
    }
  }

  async #fetchChunk(index: number): Promise<Uint8Array> {
    const { type, title, version } = this.#offer;
    if (!this.#host.isWanted(this.#offer)) throw new Abandoned();
    if (index === this.#fatalChunk) this.#mayStrike('CHUNK', index);
    try {
      const chunk = await this.#host.fetchChunk({ type, title, version, size: this.#chunkBytes, index });
      return index === this.#fatalChunk && this.#failure?.words === null ? this.#corrupted(chunk) : chunk;
    } catch (error) {
      if (!(error instanceof Refused) || error.isCredential) throw error;
      // Refused, perhaps because something else was assigned meanwhile.
      await this.#host.readAttributes();
      if (!this.#host.isWanted(this.#offer)) throw new Abandoned();
      throw new Failed(`Download of chunk ${index} refused: ${error.message}`);
    }
  }

  #corrupted(chunk: Uint8Array): Uint8Array {
    const copy = Uint8Array.from(chunk);
    const at = this.#random.integer(0, copy.length - 1);
    copy[at] = (copy[at] ?? 0) ^ (1 << this.#random.integer(0, 7));
    return copy;
  }

  #verify(size: number, checksum: string): void {
    const offer = this.#offer;
    if (offer.size !== null && size !== offer.size)
      throw new Failed(`Image has ${size} bytes, ${offer.size} announced`);
    if (checksum === offer.checksum?.toLowerCase()) return;
    throw new Failed(`Checksum mismatch: ${offer.checksumAlgorithm} is ${checksum}, ${offer.checksum} announced`);
  }

  /** Fails here if that is this attempt's fate. */
  #mayStrike(before: ReportedState | 'CHUNK', chunk = 0): void {
    if (this.#failure === null || this.#failure.before !== before || this.#failure.words === null) return;
    const circumstances = { size: this.#offer.size, chunk, chunks: this.#chunks, running: this.#host.running };
    throw new Failed(this.#failure.words(circumstances, this.#random));
  }

  #think(step: keyof typeof THINK_MS): Promise<void> {
    const [min, max] = THINK_MS[step];
    return this.#host.think(this.#random.integer(min, max));
  }
}

/** From 1 to 64 KiB and seldom a round number, unless it was chosen; never more than the whole, as the sample client asks. */
function chunkBytesFor({ size }: Offer, chosen: number | null, random: Random): number {
  const drawn = Math.floor(2 ** (CHUNK_BITS.min + random.fraction() * (CHUNK_BITS.max - CHUNK_BITS.min)));
  const bytes = chosen ?? Math.max(drawn, Math.ceil((size ?? 0) / CHUNKS_MAX));
  return Math.max(1, Math.min(bytes, size ?? bytes));
}
