/**
 * Bytes on their way in: written under a temporary name on the file system of the kept ones, hashed as they pass.
 *
 * Each arriving file is named by chance in one directory that several processes may share, so a process that died leaves
 * its files behind. Whose they were cannot be told by a process id (containers share volumes, not process ids), but a
 * file that is written to has a fresh time of modification, and a source that pauses longer than `uploadIdleMs` is given up.
 * So a file that nobody has touched for much longer is nobody's.
 */
import { createHash, randomUUID } from 'node:crypto';
import { open, readdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import type { Limits } from '../../config.ts';
import { Refusal, TooLargeError, UnavailableError, UploadInterruptedError } from '../../domain/errors.ts';
import { isGone } from './file-error.ts';

export type IncomingLimits = Pick<Limits, 'uploadsMax' | 'uploadIdleMs'>;

/** A file that is whole and synced, still under its temporary name. */
export interface IncomingFile {
  readonly path: string;
  /** Lower-case hex. */
  readonly sha256: string;
  /** Bytes. */
  readonly size: number;
}

export class Incoming {
  readonly #directory: string;
  readonly #limits: IncomingLimits;
  /** Paths that are this process's own, whatever their age. */
  readonly #own = new Set<string>();

  constructor(directory: string, limits: IncomingLimits) {
    this.#directory = directory;
    this.#limits = limits;
  }

  /** @throws TooLargeError, UploadInterruptedError, UnavailableError; the source is destroyed and nothing is left */
  async receive(source: Readable, bytesMax: number): Promise<IncomingFile> {
    // The source may fail before it is read, and an error event that nobody hears ends the process.
    source.on('error', () => undefined);
    const path = join(this.#directory, randomUUID());
    try {
      if (this.#own.size >= this.#limits.uploadsMax)
        throw new UnavailableError('Too many uploads at once. Try again soon.');
      this.#own.add(path);
      await using handle = await open(path, 'wx', 0o600);
      const written = await write(arriving(source, this.#limits.uploadIdleMs), handle, bytesMax);
      // Here and not when it is kept: syncing takes seconds for a large file, and keeping happens in a transaction.
      await handle.sync();
      return { path, ...written };
    } catch (error) {
      source.destroy();
      await this.discard(path);
      throw refusal(error);
    }
  }

  /** The file has another name now. */
  release(path: string): void {
    this.#own.delete(path);
  }

  async discard(path: string): Promise<void> {
    try {
      await unlink(path);
    } catch (error) {
      if (!isGone(error)) throw error;
    } finally {
      this.#own.delete(path);
    }
  }

  /** Removes what others left untouched for `ageMs`; 0 where no other process uses the directory. Answers how many. */
  async sweep(ageMs: number): Promise<number> {
    let removed = 0;
    // Names first, then ages: a file that is begun meanwhile is not looked at.
    for (const name of await readdir(this.#directory)) {
      const path = join(this.#directory, name);
      if (this.#own.has(path)) continue;
      try {
        if (Date.now() - (await stat(path)).mtimeMs < ageMs) continue;
        await unlink(path);
        removed += 1;
      } catch (error) {
        // Its owner was faster.
        if (!isGone(error)) throw error;
      }
    }
    return removed;
  }
}

async function write(
  chunks: AsyncIterable<Buffer>,
  handle: FileHandle,
  bytesMax: number,
): Promise<{ sha256: string; size: number }> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunks) {
    size += chunk.length;
    if (size > bytesMax) throw new TooLargeError(`A package may have at most ${bytesMax} bytes.`);
    // The file is written by a thread while this one hashes. A handle's writeFile goes on where it was, until all is written.
    const writing = handle.writeFile(chunk);
    hash.update(chunk);
    await writing;
  }
  return { sha256: hash.digest('hex'), size };
}

/** The chunks of a source, whose failures become refusals. */
async function* arriving(source: Readable, idleMs: number): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> = source[Symbol.asyncIterator]();
  for (;;) {
    const idle = setTimeout(
      () => source.destroy(new UploadInterruptedError(`No byte arrived for ${idleMs} ms.`)),
      idleMs,
    );
    try {
      const next = await chunks.next();
      if (next.done === true) return;
      clearTimeout(idle);
      yield next.value;
    } catch (error) {
      if (error instanceof Refusal || isDiskFull(error)) throw error;
      throw new UploadInterruptedError('The upload ended before its last byte.', { cause: error });
    } finally {
      clearTimeout(idle);
    }
  }
}

function refusal(error: unknown): unknown {
  return isDiskFull(error)
    ? new UnavailableError('The disk that holds the packages is full.', { cause: error })
    : error;
}

/** Also from a source that spools to the same disk. */
function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EDQUOT');
}
