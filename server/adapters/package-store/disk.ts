/**
 * Package bytes as files, each named by its SHA-256: `<directory>/ab/cdef…`, and `<directory>/incoming/` for what is not whole.
 *
 * If the process dies while bytes arrive, a file in `incoming` is left, which `sweepIncoming` removes. If it dies between `keep`
 * and the commit of the package that wants the bytes, a file is left that no package refers to, which the sweep of
 * `domain/package-bytes.ts` removes. A committed package always finds its bytes: they were synced when received, and the
 * directories are synced before `keep` returns.
 */
import { access, constants, mkdir, open, opendir, rename, unlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { Readable } from 'node:stream';

import type { PackageStore, ReceivedBytes } from '../../domain/ports.ts';
import { isGone } from './file-error.ts';
import { Incoming } from './incoming.ts';
import type { IncomingFile, IncomingLimits } from './incoming.ts';
import { OpenFiles } from './open-files.ts';
import type { OpenFilesLimits } from './open-files.ts';

/** @param directory made if it is missing, for the owner alone. @throws what the system says where it cannot be written */
export async function openDiskPackageStore(
  directory: string,
  limits: IncomingLimits & OpenFilesLimits,
): Promise<DiskPackageStore> {
  const incoming = join(directory, 'incoming');
  await mkdir(directory, { recursive: true, mode: 0o700 });
  await mkdir(incoming, { recursive: true, mode: 0o700 });
  // One that is there already may be another's, or on a file system that is mounted for reading.
  await access(incoming, constants.W_OK);
  await syncDirectory(dirname(directory));
  return new DiskPackageStore(directory, incoming, new Incoming(incoming, limits), new OpenFiles(limits));
}

export class DiskPackageStore implements PackageStore {
  readonly incomingDirectory: string;
  readonly #directory: string;
  readonly #incoming: Incoming;
  readonly #openFiles: OpenFiles;

  constructor(directory: string, incomingDirectory: string, incoming: Incoming, openFiles: OpenFiles) {
    this.incomingDirectory = incomingDirectory;
    this.#directory = directory;
    this.#incoming = incoming;
    this.#openFiles = openFiles;
  }

  async receive(source: Readable, bytesMax: number): Promise<ReceivedBytes> {
    const file = await this.#incoming.receive(source, bytesMax);
    return {
      sha256: file.sha256,
      size: file.size,
      keep: () => this.#keep(file),
      // Nothing has the temporary name any more where the bytes were kept.
      [Symbol.asyncDispose]: () => this.#incoming.discard(file.path),
    };
  }

  async open(sha256: string, range?: { start: number; length: number }): Promise<Readable> {
    if (range !== undefined && range.length <= 0) return Readable.from([]);
    const handle = await open(this.#path(sha256), 'r');
    return handle.createReadStream(range && { start: range.start, end: range.start + range.length - 1 });
  }

  read(sha256: string, start: number, length: number): Promise<Buffer> {
    return this.#openFiles.read(this.#path(sha256), start, length);
  }

  async remove(sha256: string): Promise<void> {
    const path = this.#path(sha256);
    try {
      await unlink(path);
    } catch (error) {
      if (!isGone(error)) throw error;
    }
    // After unlinking: a read that began before it may still have opened the file.
    await this.#openFiles.drop(path);
  }

  async *list(): AsyncGenerator<string> {
    for await (const directory of await opendir(this.#directory)) {
      if (!/^[0-9a-f]{2}$/.test(directory.name)) continue;
      for await (const file of await opendir(join(this.#directory, directory.name))) {
        const sha256 = directory.name + file.name;
        if (isSha256(sha256)) yield sha256;
      }
    }
  }

  /**
   * Removes what processes that died have left half received, and answers how many files that were.
   * @param ageMs only what was untouched for so long; 0 where no other process uses the directory
   */
  sweepIncoming(ageMs: number): Promise<number> {
    return this.#incoming.sweep(ageMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.#openFiles[Symbol.asyncDispose]();
  }

  async #keep(file: IncomingFile): Promise<void> {
    const path = this.#path(file.sha256);
    const directory = dirname(path);
    await mkdir(directory, { recursive: true, mode: 0o700 });
    // Over what may be there: the same bytes, or the same bytes damaged.
    await rename(file.path, path);
    this.#incoming.release(file.path);
    await this.#openFiles.drop(path);
    await syncDirectory(directory);
    // Another process may have made the directory and died before it synced it.
    await syncDirectory(this.#directory);
  }

  #path(sha256: string): string {
    if (!isSha256(sha256)) throw new TypeError('Not a SHA-256 in lower-case hex.');
    return join(this.#directory, sha256.slice(0, 2), sha256.slice(2));
  }
}

function isSha256(text: string): boolean {
  return /^[0-9a-f]{64}$/.test(text);
}

async function syncDirectory(path: string): Promise<void> {
  await using directory = await open(path, 'r');
  await directory.sync();
}
