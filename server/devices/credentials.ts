/** Who a device is: known by its access token, of which only the hash is kept. */
import type { LogBatch } from '../domain/ports.ts';
import type { Query } from '../domain/query.ts';
import { hashToken } from '../domain/token.ts';
import { readTogether } from './read-together.ts';
import { YoungCache } from './young-cache.ts';

export interface Device {
  readonly id: string;
  readonly tenantId: string;
  /** SHA-256 of the access token by which it came, hex. */
  readonly tokenHash: string;
}

export class Credentials {
  readonly #cache: YoungCache<Device>;
  readonly #read: (tokenHash: string) => Promise<Device | undefined>;

  constructor(query: Query, limits: { cacheAgeMaxMs: number; cacheEntriesMax: number; readTogetherMax: number }) {
    this.#cache = new YoungCache(limits);
    this.#read = readTogether((hashes) => readDevices(query, hashes), limits.readTogetherMax);
  }

  /** @returns null where no living device has this token */
  async authenticate(accessToken: string): Promise<Device | null> {
    const tokenHash = hashToken(accessToken).toString('hex');
    return this.#cache.get(tokenHash) ?? this.#ask(tokenHash);
  }

  /** Whether the token by which the device came is still worth something. Asks the database. */
  async isStillGood({ tokenHash }: Device): Promise<boolean> {
    return (await this.#ask(tokenHash)) !== null;
  }

  /** A change names the device and not the token that it had, and devices change seldom: all are asked for anew. */
  forget({ changes }: LogBatch): void {
    if (changes.some(({ type }) => type === 'DEVICE')) this.#cache.clear();
  }

  async #ask(tokenHash: string): Promise<Device | null> {
    const asOf = performance.now();
    const device = await this.#read(tokenHash);
    if (device === undefined) {
      this.#cache.delete(tokenHash);
      return null;
    }
    this.#cache.set(tokenHash, device, asOf);
    return device;
  }
}

async function readDevices(query: Query, tokenHashes: readonly string[]): Promise<Map<string, Device>> {
  const devices = await query<Device>(
    `SELECT id, tenant_id AS "tenantId", encode(access_token_hash, 'hex') AS "tokenHash" FROM device
     WHERE access_token_hash = ANY($1::bytea[]) AND deleted_at IS NULL`,
    [tokenHashes.map((hash) => Buffer.from(hash, 'hex'))],
  );
  return new Map(devices.map((device) => [device.tokenHash, device]));
}
