/** When devices last gave a sign of life: written together, and for each device at most once in a quantum. */
import type { Clock } from '../domain/ports.ts';
import type { Query } from '../domain/query.ts';
import type { Device } from './credentials.ts';

export interface LastSeenLimits {
  readonly seenQuantumMs: number;
  readonly cacheEntriesMax: number;
}

export class LastSeen {
  readonly #query: Query;
  readonly #clock: Clock;
  readonly #limits: LastSeenLimits;
  /** Milliseconds since 1970, by device; those that are not written yet too. */
  readonly #noted = new Map<string, number>();
  #unwritten = new Map<string, { readonly tenantId: string; readonly at: number }>();

  constructor(query: Query, clock: Clock, limits: LastSeenLimits) {
    this.#query = query;
    this.#clock = clock;
    this.#limits = limits;
  }

  note({ id, tenantId }: Device): void {
    const now = this.#clock.now();
    const last = this.#noted.get(id);
    if (last !== undefined && now - last < this.#limits.seenQuantumMs) return;
    this.#noted.delete(id);
    this.#noted.set(id, now);
    if (this.#unwritten.size < this.#limits.cacheEntriesMax) this.#unwritten.set(id, { tenantId, at: now });
    if (this.#noted.size <= this.#limits.cacheEntriesMax) return;
    const [quietest] = this.#noted.keys();
    if (quietest !== undefined) this.#noted.delete(quietest);
  }

  async flush(): Promise<void> {
    if (this.#unwritten.size === 0) return;
    const batch = this.#unwritten;
    this.#unwritten = new Map();
    try {
      await this.#query(WRITE_SEEN, [
        JSON.stringify([...batch].map(([deviceId, { tenantId, at }]) => ({ deviceId, tenantId, at: new Date(at) }))),
        this.#limits.seenQuantumMs,
      ]);
    } catch (error) {
      for (const [id, seen] of batch) if (!this.#unwritten.has(id)) this.#unwritten.set(id, seen);
      throw error;
    }
  }
}

// In one order, so that two nodes do not wait for each other. What another node wrote within the quantum stands.
const WRITE_SEEN = `
  INSERT INTO device_seen (device_id, tenant_id, seen_at)
  SELECT n."deviceId", n."tenantId", n.at FROM json_to_recordset($1::json) AS n("deviceId" uuid, "tenantId" uuid, at timestamptz)
  JOIN device d ON d.id = n."deviceId" AND d.deleted_at IS NULL
  ORDER BY n."deviceId"
  ON CONFLICT (device_id) DO UPDATE SET seen_at = excluded.seen_at
  WHERE device_seen.seen_at <= excluded.seen_at - make_interval(secs => $2::float8 / 1000)`;
