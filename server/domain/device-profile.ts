/** Device profiles: rules and writes. */
import { v7 as uuid } from 'uuid';
import type { Actor } from './actor.ts';
import { ConflictError, InUseError, NotFoundError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import { lockProfile } from './profile-lock.ts';
import type { Query } from './query.ts';
import { shortText } from './text.ts';

export interface DeviceProfileDraft {
  readonly name: string;
}

/** @throws ValidationError, ConflictError */
export async function createDeviceProfile(
  query: Query,
  actor: Actor,
  draft: DeviceProfileDraft,
  now: Date,
): Promise<{ id: string; name: string }> {
  const id = uuid();
  const name = shortText('The name', draft.name);
  const inserted = await query(
    `INSERT INTO device_profile (id, tenant_id, name, created_at) VALUES ($1::uuid, $2::uuid, $3, $4)
     ON CONFLICT (tenant_id, name) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    [id, actor.tenantId, name, now],
  );
  if (inserted.length === 0) throw new ConflictError(`There is a device profile named ${name} already.`);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'DEVICE_PROFILE', entityId: id });
  return { id, name };
}

/**
 * Deletes a profile that nothing living refers to; its row stays for the history. The profile's lock keeps devices out, the row's
 * lock keeps packages out.
 * @throws NotFoundError, InUseError
 */
export async function deleteDeviceProfile(
  query: Query,
  actor: Actor,
  id: string,
  now: Date,
): Promise<{ name: string }> {
  await lockProfile(query, id);
  const [profile] = await query<{ name: string }>(
    'SELECT name FROM device_profile WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL FOR UPDATE',
    [id, actor.tenantId],
  );
  if (profile === undefined) throw new NotFoundError('The device profile');
  const [uses] = await query<{ devices: number; packages: number }>(
    `SELECT (SELECT count(*) FROM device WHERE device_profile_id = $1::uuid AND deleted_at IS NULL)::int AS devices,
       (SELECT count(*) FROM ota_package WHERE device_profile_id = $1::uuid AND deleted_at IS NULL)::int AS packages`,
    [id],
  );
  const { devices = 0, packages = 0 } = uses ?? {};
  if (devices + packages > 0) {
    throw new InUseError(`The profile has ${devices} devices and ${packages} packages. Move or delete them first.`);
  }
  await query('UPDATE device_profile SET deleted_at = $2 WHERE id = $1::uuid', [id, now]);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'DEVICE_PROFILE', entityId: id });
  return profile;
}
