/**
 * The walk of a profile assignment over the profile's slots, a slice a transaction. Its place is kept in the assignment's row, so
 * it may die anywhere and be resumed anywhere. It asks each slot what is effective now, so that the same walk serves
 * assigning, replacing and unassigning.
 */
import type { PackageType } from '../../prisma/client/enums.ts';
import { begin } from './passage.ts';
import type { Query } from './query.ts';
import { reconcile } from './reconcile.ts';
import { lockSlots } from './slot.ts';
import { writeChanges } from './update.ts';

interface Walk {
  id: string;
  tenant_id: string;
  device_profile_id: string;
  type: PackageType;
  walked_to: string | null;
}

/** Before and after every device id. */
const FIRST_ID = '00000000-0000-0000-0000-000000000000';
const LAST_ID = 'ffffffff-ffff-ffff-ffff-ffffffffffff';

/**
 * Handles the next slice of the oldest walk that nobody else is at.
 * @returns whether there was one
 */
export async function walkSlice(query: Query, sliceMax: number, now: Date): Promise<boolean> {
  const [walk] = await query<Walk>(
    `SELECT id, tenant_id, device_profile_id, type::text, walked_to FROM assignment
     WHERE walking ORDER BY created_at, id LIMIT 1 FOR NO KEY UPDATE SKIP LOCKED`,
    [],
  );
  if (walk === undefined) return false;

  // The end of the slice is fixed by a plain SELECT: a locking one with LIMIT may return fewer rows than there are.
  const from = walk.walked_to ?? FIRST_ID;
  const [end] = await query<{ device_id: string }>(
    `SELECT device_id FROM slot WHERE device_profile_id = $1::uuid AND type = $2::package_type AND device_id > $3::uuid
     ORDER BY device_id OFFSET $4 LIMIT 1`,
    [walk.device_profile_id, walk.type, from, sliceMax - 1],
  );
  const to = end?.device_id ?? LAST_ID;
  const isDone = end === undefined;
  const keys = await query<{ deviceId: string; type: PackageType }>(
    `SELECT device_id AS "deviceId", type::text FROM slot
     WHERE device_profile_id = $1::uuid AND type = $2::package_type AND device_id > $3::uuid AND device_id <= $4::uuid
     ORDER BY device_id, type FOR NO KEY UPDATE`,
    [walk.device_profile_id, walk.type, from, to],
  );
  const situations = await lockSlots(query, keys);
  const changes = situations.map(({ slot, effective }) => ({
    before: slot,
    passage: reconcile(begin(slot), effective, now),
  }));
  await query(
    `UPDATE assignment SET walked_to = $2::uuid, walking = $3,
       device_count = device_count + CASE WHEN ended_at IS NULL THEN $4::int ELSE 0 END
     WHERE id = $1::uuid`,
    [walk.id, to, !isDone, keys.length],
  );
  // A finished walk is news: the count of devices is final.
  await writeChanges(
    query,
    changes,
    now,
    isDone ? [{ tenantId: walk.tenant_id, type: 'ASSIGNMENT', entityId: walk.id }] : [],
  );
  return true;
}
