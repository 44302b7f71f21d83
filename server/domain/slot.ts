/** A device's place for one package type, as everything that decides about updates sees it: locked, and read whole. */
import type { PackageType, UpdateResult, UpdateState } from '../../prisma/client/enums.ts';
import type { Query } from './query.ts';

export interface Slot {
  readonly deviceId: string;
  readonly type: PackageType;
  readonly tenantId: string;
  readonly deviceProfileId: string;
  readonly customerId: string | null;
  readonly name: string;
  readonly ownAssignmentId: string | null;
  /** What the device reports to run. */
  readonly current: {
    readonly title: string | null;
    readonly version: string | null;
    readonly reportedAt: Date | null;
  };
  /** The effective package when the slot was last reconciled. */
  readonly targetPackageId: string | null;
  /** The package that the shared attributes show. */
  readonly toldPackageId: string | null;
  /** Counted up by each change of the shared attributes; the last that reached the device. */
  readonly offer: number;
  readonly deliveredOffer: number;
  readonly deliveredAt: Date | null;
  /** The latest. */
  readonly update: Update | null;
  /** Since when the latest update, or none, is in its state. */
  readonly stateAt: Date;
}

/** What identifies a package to a device. */
export interface PackageName {
  readonly packageId: string;
  readonly title: string;
  readonly version: string;
}

/** One device's passage to one package. */
export interface Update extends PackageName {
  readonly id: string;
  readonly assignmentId: string;
  readonly attempt: number;
  readonly state: UpdateState;
  readonly result: UpdateResult | null;
  readonly error: string | null;
  readonly revision: number;
  readonly queuedAt: Date;
  /** When the device was told, or first showed that it knew. */
  readonly initiatedAt: Date | null;
  readonly finishedAt: Date | null;
  /** The device's clock in the last step that was applied, ms since 1970. */
  readonly reportedTs: number | null;
  readonly bytesServed: number;
  readonly bytesTotal: number | null;
  /** The package that this update took over from: it superseded an update of which the device knew. */
  readonly tookOver: PackageName | null;
  readonly deaf: boolean;
  readonly resent: boolean;
}

/** The effective package of a slot and the assignment that makes it so. */
export interface Effective extends PackageName {
  readonly assignmentId: string;
  readonly dataSize: number | null;
}

/** A slot with what is effective for it at the moment of reading. */
export interface Situation {
  readonly slot: Slot;
  readonly effective: Effective | null;
}

export interface SlotKey {
  readonly deviceId: string;
  readonly type: PackageType;
}

export function stateOf(slot: Slot): UpdateState {
  return slot.update?.state ?? 'NONE';
}

/** Whether the device reports to run `target`. */
export function runs(slot: Slot, target: PackageName): boolean {
  return slot.current.title === target.title && slot.current.version === target.version;
}

/**
 * Locks slots in the one order that all writers keep, then reads them. Two statements: a locking SELECT that had to wait
 * sees the newest version of the row it waited for, but joins it to rows as they were before the wait.
 * Keys without a slot (a deleted device) are absent from the answer.
 */
export async function lockSlots(query: Query, keys: readonly SlotKey[]): Promise<Situation[]> {
  if (keys.length === 0) return [];
  const values = [keys.map((key) => key.deviceId), keys.map((key) => key.type)];
  await query(
    `SELECT 1 AS locked FROM slot JOIN unnest($1::uuid[], $2::package_type[]) AS k(device_id, type) USING (device_id, type)
     ORDER BY slot.device_id, slot.type FOR NO KEY UPDATE OF slot`,
    values,
  );
  return readSlots(query, keys);
}

/** Reads slots without locking them: for answers, not for decisions. */
export async function readSlots(query: Query, keys: readonly SlotKey[]): Promise<Situation[]> {
  const rows = await query<SituationRow>(SELECT_SITUATIONS, [
    keys.map((key) => key.deviceId),
    keys.map((key) => key.type),
  ]);
  return rows.map(situationOf);
}

/** What a profile's assignments in force make effective for its devices without an own one. */
export async function effectiveInProfile(query: Query, deviceProfileId: string): Promise<Map<PackageType, Effective>> {
  const rows = await query<Effective & { type: PackageType }>(
    `SELECT a.type::text, a.id AS "assignmentId", p.id AS "packageId", p.title, p.version, p.data_size::float8 AS "dataSize"
     FROM assignment a JOIN ota_package p ON p.id = a.package_id
     WHERE a.device_profile_id = $1::uuid AND a.ended_at IS NULL`,
    [deviceProfileId],
  );
  return new Map(rows.map(({ type, ...effective }) => [type, effective]));
}

/** The device's own assignment, else its profile's, else none. */
const SELECT_SITUATIONS = `
  SELECT s.device_id, s.type::text, s.tenant_id, s.device_profile_id, s.customer_id, s.name, s.own_assignment_id,
    s.current_title, s.current_version, s.current_reported_at, s.target_package_id, s.told_package_id,
    s.offer, s.delivered_offer, s.delivered_at, s.state_at,
    u.id AS update_id, u.package_id, up.title, up.version, u.assignment_id, u.attempt, u.state::text, u.result::text, u.error, u.revision,
    u.queued_at, u.initiated_at, u.finished_at, u.reported_ts::float8, u.bytes_served::float8, u.bytes_total::float8,
    u.deaf, u.resent, former.id AS former_id, former.title AS former_title, former.version AS former_version,
    a.id AS effective_assignment_id, p.id AS effective_package_id, p.title AS effective_title, p.version AS effective_version,
    p.data_size::float8 AS effective_size
  FROM unnest($1::uuid[], $2::package_type[]) AS k(device_id, type)
  JOIN slot s USING (device_id, type)
  LEFT JOIN update u ON u.id = s.update_id
  LEFT JOIN ota_package up ON up.id = u.package_id
  LEFT JOIN ota_package former ON former.id = u.took_over_package_id
  LEFT JOIN assignment pa ON pa.device_profile_id = s.device_profile_id AND pa.type = s.type AND pa.ended_at IS NULL
  LEFT JOIN assignment a ON a.id = coalesce(s.own_assignment_id, pa.id)
  LEFT JOIN ota_package p ON p.id = a.package_id
  ORDER BY s.device_id, s.type`;

interface SituationRow {
  device_id: string;
  type: PackageType;
  tenant_id: string;
  device_profile_id: string;
  customer_id: string | null;
  name: string;
  own_assignment_id: string | null;
  current_title: string | null;
  current_version: string | null;
  current_reported_at: Date | null;
  target_package_id: string | null;
  told_package_id: string | null;
  offer: number;
  delivered_offer: number;
  delivered_at: Date | null;
  state_at: Date;
  update_id: string | null;
  package_id: string;
  title: string;
  version: string;
  assignment_id: string;
  attempt: number;
  state: UpdateState;
  result: UpdateResult | null;
  error: string | null;
  revision: number;
  queued_at: Date;
  initiated_at: Date | null;
  finished_at: Date | null;
  reported_ts: number | null;
  bytes_served: number;
  bytes_total: number | null;
  deaf: boolean;
  resent: boolean;
  former_id: string | null;
  former_title: string;
  former_version: string;
  effective_assignment_id: string | null;
  effective_package_id: string;
  effective_title: string;
  effective_version: string;
  effective_size: number | null;
}

function situationOf(row: SituationRow): Situation {
  return {
    slot: {
      deviceId: row.device_id,
      type: row.type,
      tenantId: row.tenant_id,
      deviceProfileId: row.device_profile_id,
      customerId: row.customer_id,
      name: row.name,
      ownAssignmentId: row.own_assignment_id,
      current: { title: row.current_title, version: row.current_version, reportedAt: row.current_reported_at },
      targetPackageId: row.target_package_id,
      toldPackageId: row.told_package_id,
      offer: row.offer,
      deliveredOffer: row.delivered_offer,
      deliveredAt: row.delivered_at,
      update: row.update_id === null ? null : updateOf(row, row.update_id),
      stateAt: row.state_at,
    },
    effective:
      row.effective_assignment_id === null
        ? null
        : {
            assignmentId: row.effective_assignment_id,
            packageId: row.effective_package_id,
            title: row.effective_title,
            version: row.effective_version,
            dataSize: row.effective_size,
          },
  };
}

function updateOf(row: SituationRow, id: string): Update {
  return {
    id,
    packageId: row.package_id,
    title: row.title,
    version: row.version,
    assignmentId: row.assignment_id,
    attempt: row.attempt,
    state: row.state,
    result: row.result,
    error: row.error,
    revision: row.revision,
    queuedAt: row.queued_at,
    initiatedAt: row.initiated_at,
    finishedAt: row.finished_at,
    reportedTs: row.reported_ts,
    bytesServed: row.bytes_served,
    bytesTotal: row.bytes_total,
    tookOver:
      row.former_id === null
        ? null
        : { packageId: row.former_id, title: row.former_title, version: row.former_version },
    deaf: row.deaf,
    resent: row.resent,
  };
}
