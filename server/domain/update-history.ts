/** What happened to updates, as people read it. */
import type { PackageType } from '../../prisma/client/enums.ts';
import type { LogEvent } from './ports.ts';
import type { Query } from './query.ts';

/** @param max of each update: its newest events, in their order */
export async function eventsOfUpdates(
  query: Query,
  updateIds: readonly string[],
  max: number,
): Promise<Map<string, LogEvent[]>> {
  const rows = await query<LogEvent>(
    `SELECT e.seq::float8 AS seq, e.tenant_id AS "tenantId", e.customer_id AS "customerId",
       e.device_profile_id AS "deviceProfileId", e.device_id AS "deviceId", e.type::text AS type, e.update_id AS "updateId",
       e.package_id AS "packageId", e.state::text AS state, e.result::text AS result, e.error, e.revision,
       e.bytes_served::float8 AS "bytesServed", e.bytes_total::float8 AS "bytesTotal", e.at, e.received_at AS "receivedAt"
     FROM unnest($1::uuid[]) AS wanted(id)
     CROSS JOIN LATERAL (SELECT * FROM update_event WHERE update_id = wanted.id ORDER BY seq DESC LIMIT $2) AS e
     ORDER BY e.seq`,
    [updateIds, max],
  );
  const events = new Map<string, LogEvent[]>();
  for (const event of rows) {
    const those = events.get(event.updateId);
    if (those === undefined) events.set(event.updateId, [event]);
    else those.push(event);
  }
  return events;
}

export interface UpdatePlace {
  readonly id: string;
  readonly deviceId: string;
  readonly queuedAt: Date;
}

/**
 * A page of the updates of each device, the newest first.
 * @param after the instant and the id of the update after which it begins
 */
export async function updatesOfDevices(
  query: Query,
  deviceIds: readonly string[],
  type: PackageType,
  { take, after }: { readonly take: number; readonly after: readonly string[] | null },
): Promise<UpdatePlace[]> {
  return query<UpdatePlace>(
    `SELECT u.id, u.device_id AS "deviceId", u.queued_at AS "queuedAt"
     FROM unnest($1::uuid[]) AS wanted(id)
     CROSS JOIN LATERAL (
       SELECT id, device_id, queued_at FROM update
       WHERE device_id = wanted.id AND type = $2::package_type
         AND ($4::timestamptz IS NULL OR (queued_at, id) < ($4::timestamptz, $5::uuid))
       ORDER BY queued_at DESC, id DESC LIMIT $3
     ) AS u
     ORDER BY u.queued_at DESC, u.id DESC`,
    [deviceIds, type, take, after?.[0] ?? null, after?.[1] ?? null],
  );
}

/** @param max counting ends there */
export async function countUpdatesOfDevices(
  query: Query,
  deviceIds: readonly string[],
  type: PackageType,
  max: number,
): Promise<Map<string, number>> {
  const rows = await query<{ id: string; count: number }>(
    `SELECT wanted.id, u.count FROM unnest($1::uuid[]) AS wanted(id)
     CROSS JOIN LATERAL (
       SELECT count(*)::int AS count
       FROM (SELECT FROM update WHERE device_id = wanted.id AND type = $2::package_type LIMIT $3) AS counted
     ) AS u`,
    [deviceIds, type, max],
  );
  return new Map(rows.map(({ id, count }) => [id, count]));
}
