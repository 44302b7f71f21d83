/** Which package a device may fetch, and what there is to know of a package that a device is shown. */
import type { ChecksumAlgorithm, PackageType } from '../../prisma/client/enums.ts';
import type { LogBatch } from '../domain/ports.ts';
import type { Query } from '../domain/query.ts';
import { readTogether } from './read-together.ts';
import type { SlotReader } from './slot-reader.ts';
import { YoungCache } from './young-cache.ts';

export interface PackageDetails {
  readonly id: string;
  readonly title: string;
  readonly version: string;
  readonly tag: string | null;
  readonly url: string | null;
  readonly fileName: string | null;
  readonly contentType: string | null;
  /** Bytes. */
  readonly dataSize: number | null;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  readonly checksum: string | null;
  /** Lower-case hex; null where there are no bytes. */
  readonly sha256: string | null;
}

export class Packages {
  readonly #slots: SlotReader;
  readonly #effective: YoungCache<PackageDetails>;
  readonly #details: YoungCache<PackageDetails>;
  readonly #read: (packageId: string) => Promise<PackageDetails | undefined>;

  constructor(
    query: Query,
    slots: SlotReader,
    limits: { cacheAgeMaxMs: number; cacheEntriesMax: number; readTogetherMax: number },
  ) {
    this.#slots = slots;
    this.#effective = new YoungCache(limits);
    this.#details = new YoungCache(limits);
    this.#read = readTogether((ids) => readPackages(query, ids), limits.readTogetherMax);
  }

  /** The effective package of a device, at most a moment old; `isWanted` says whether that will do, else the database is asked. */
  async effective(
    deviceId: string,
    type: PackageType,
    isWanted: (found: PackageDetails) => boolean,
  ): Promise<PackageDetails | undefined> {
    const key = `${deviceId} ${type}`;
    const known = this.#effective.get(key);
    if (known !== undefined && isWanted(known)) return known;
    const asOf = performance.now();
    const situation = (await this.#slots.read(deviceId)).find(({ slot }) => slot.type === type);
    const found = situation?.effective == null ? undefined : await this.details(situation.effective.packageId);
    if (found !== undefined && isWanted(found)) this.#effective.set(key, found, asOf);
    return found;
  }

  async details(packageId: string): Promise<PackageDetails | undefined> {
    const asOf = performance.now();
    const details = this.#details.get(packageId) ?? (await this.#read(packageId));
    if (details !== undefined) this.#details.set(packageId, details, asOf);
    return details;
  }

  forget({ changes }: LogBatch): void {
    for (const { type, entityId } of changes) {
      if (type === 'ASSIGNMENT' || type === 'DEVICE' || type === 'OTA_PACKAGE') this.#effective.clear();
      if (type === 'OTA_PACKAGE') this.#details.delete(entityId);
    }
  }
}

async function readPackages(query: Query, ids: readonly string[]): Promise<Map<string, PackageDetails>> {
  const packages = await query<PackageDetails>(
    `SELECT id, title, version, tag, url, file_name AS "fileName", content_type AS "contentType", data_size::float8 AS "dataSize",
       checksum_algorithm::text AS "checksumAlgorithm", checksum, encode(sha256, 'hex') AS sha256
     FROM ota_package WHERE id = ANY($1::uuid[])`,
    [ids],
  );
  return new Map(packages.map((each) => [each.id, each]));
}
