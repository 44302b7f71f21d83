/** The bytes of a device's effective package, whole or by chunk. Allowed as soon as the package is effective, also while queued. */
import type { PackageType } from '../../prisma/client/enums.ts';
import { NotFoundError, ValidationError } from '../domain/errors.ts';
import type { ByteRange, PackageFile, PackageStore } from '../domain/ports.ts';
import type { Device } from './credentials.ts';
import type { PackageDetails, Packages } from './packages.ts';
import type { Unwritten } from './unwritten.ts';

/** Compared where given. */
export interface Wanted {
  readonly title?: string | undefined;
  readonly version?: string | undefined;
}

export class Downloads {
  readonly #packages: Packages;
  readonly #store: Pick<PackageStore, 'open' | 'read'>;
  readonly #unwritten: Unwritten;

  constructor(packages: Packages, store: Pick<PackageStore, 'open' | 'read'>, unwritten: Unwritten) {
    this.#packages = packages;
    this.#store = store;
    this.#unwritten = unwritten;
  }

  /** @throws NotFoundError where no package is effective, or one by URL; ValidationError where another one is than is wanted */
  async of(device: Device, type: PackageType, wanted: Wanted): Promise<PackageFile> {
    const found = await this.#packages.effective(
      device.id,
      type,
      (known) => isWanted(known, wanted) && known.sha256 !== null,
    );
    if (found === undefined || found.sha256 === null || found.dataSize === null) {
      throw new NotFoundError(`A ${type.toLowerCase()} package with bytes for this device`);
    }
    if (!isWanted(found, wanted))
      throw new ValidationError(`This is not the title and version of the device's ${type.toLowerCase()}.`);
    const { id, sha256, dataSize: size } = found;
    return {
      fileName: found.fileName ?? `${found.title}-${found.version}`,
      contentType: found.contentType ?? 'application/octet-stream',
      size,
      sha256,
      read: ({ start, end }) => this.#store.read(sha256, start, end - start),
      open: ({ start, end }) => this.#store.open(sha256, { start, length: end - start }),
      served: (range) => this.#unwritten.served(device.id, type, id, range),
    };
  }
}

function isWanted(found: PackageDetails, { title, version }: Wanted): boolean {
  return (title === undefined || title === found.title) && (version === undefined || version === found.version);
}

/**
 * The bytes of chunk `index` of `chunkBytes` each. Past the end it is empty, however far: a product beyond 2^53 is inexact, but
 * beyond every size.
 */
export function chunkRange(chunkBytes: number, index: number, size: number): ByteRange {
  const start = Math.min(chunkBytes * index, size);
  return { start, end: Math.min(start + chunkBytes, size) };
}
