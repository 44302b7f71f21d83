/**
 * Files that were read a moment ago, kept open: a fleet fetches one package in a million chunks, and a chunk is then a single
 * positional read instead of open, read and close. A file's bytes never change under its name, so its size is kept too.
 */
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

import type { Limits } from '../../config.ts';

interface OpenFile {
  readonly opened: Promise<{ handle: FileHandle; size: number }>;
  /** Reads under way; the file is closed by the last one once it was forgotten. */
  readers: number;
  forgotten: boolean;
  idle: NodeJS.Timeout | undefined;
}

export type OpenFilesLimits = Pick<Limits, 'packageFilesOpenMax' | 'packageFileIdleMs'>;

export class OpenFiles implements AsyncDisposable {
  readonly #limits: OpenFilesLimits;
  /** By path, the one read longest ago first. */
  readonly #files = new Map<string, OpenFile>();

  constructor(limits: OpenFilesLimits) {
    this.#limits = limits;
  }

  /** Up to `length` bytes from `position`: shorter or empty past the end. Errors with ENOENT. */
  async read(path: string, position: number, length: number): Promise<Buffer> {
    const file = this.#acquire(path);
    try {
      const { handle, size } = await file.opened;
      return await readFully(handle, position, Math.max(0, Math.min(length, size - position)));
    } catch (error) {
      this.#forget(path, file);
      throw error;
    } finally {
      file.readers -= 1;
      if (file.readers === 0) this.#rest(path, file);
    }
  }

  /** Forgets the file, so that the next read opens what then has the name. */
  async drop(path: string): Promise<void> {
    const file = this.#files.get(path);
    if (file === undefined) return;
    this.#forget(path, file);
    if (file.readers === 0) await close(file);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#files.keys()].map((path) => this.drop(path)));
  }

  #acquire(path: string): OpenFile {
    const file = this.#files.get(path) ?? { opened: openWithSize(path), readers: 0, forgotten: false, idle: undefined };
    file.readers += 1;
    clearTimeout(file.idle);
    // Set anew, it is the last of the map.
    this.#files.delete(path);
    this.#files.set(path, file);
    return file;
  }

  /** Nobody reads it now. */
  #rest(path: string, file: OpenFile): void {
    if (file.forgotten) {
      void close(file);
      return;
    }
    file.idle = setTimeout(() => void this.drop(path), this.#limits.packageFileIdleMs).unref();
    for (const [oldPath, old] of this.#files) {
      if (this.#files.size <= this.#limits.packageFilesOpenMax) break;
      if (old.readers === 0) void this.drop(oldPath);
    }
  }

  #forget(path: string, file: OpenFile): void {
    file.forgotten = true;
    clearTimeout(file.idle);
    if (this.#files.get(path) === file) this.#files.delete(path);
  }
}

async function openWithSize(path: string): Promise<{ handle: FileHandle; size: number }> {
  const handle = await open(path, 'r');
  try {
    return { handle, size: (await handle.stat()).size };
  } catch (error) {
    await handle.close();
    throw error;
  }
}

async function readFully(handle: FileHandle, position: number, length: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(length);
  let filled = 0;
  while (filled < length) {
    const { bytesRead } = await handle.read(buffer, filled, length - filled, position + filled);
    if (bytesRead === 0) break;
    filled += bytesRead;
  }
  return buffer.subarray(0, filled);
}

/** What was only read has nothing to lose when closing fails, and what never opened needs no closing. */
async function close(file: OpenFile): Promise<void> {
  await file.opened.then(({ handle }) => handle.close()).catch(() => undefined);
}
