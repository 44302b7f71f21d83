/**
 * Declared intent that a device or a profile run a package. Assigning to a profile records the intent and is done, whatever the
 * size of the profile: the enqueuer walks its devices. Assigning to one device is carried out at once.
 */
import { v7 as uuid } from 'uuid';
import type { PackageType } from '../../prisma/client/enums.ts';
import { isWithin } from './actor.ts';
import type { Actor } from './actor.ts';
import { ConflictError, IncompatibleError, NotFoundError, ValidationError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import { begin } from './passage.ts';
import { lockProfile, shareProfiles } from './profile-lock.ts';
import type { Query } from './query.ts';
import { reconcile } from './reconcile.ts';
import { lockSlots } from './slot.ts';
import type { Situation } from './slot.ts';
import { writeChanges } from './update.ts';

/** Exactly one of the two. */
export interface Subject {
  readonly deviceProfileId?: string | null | undefined;
  readonly deviceId?: string | null | undefined;
}

interface AssignablePackage {
  id: string;
  type: PackageType;
  device_profile_id: string;
}

interface Device {
  id: string;
  device_profile_id: string;
}

interface InForce {
  id: string;
  package_id: string;
}

/**
 * Assigns a package. Assigning what is assigned already changes nothing.
 * @returns the id of the assignment in force, and whether it is new
 * @throws NotFoundError, IncompatibleError, ValidationError
 */
export async function assign(
  query: Query,
  actor: Actor,
  packageId: string,
  subject: Subject,
  now: Date,
): Promise<{ assignmentId: string; isNew: boolean }> {
  const one = requireOne(subject);
  const chosen = await assignablePackage(query, actor, packageId);
  return 'deviceProfileId' in one
    ? assignToProfile(query, actor, chosen, one.deviceProfileId, now)
    : assignToDevice(query, actor, chosen, one.deviceId, now);
}

/**
 * Ends what is assigned. The profile's devices follow by a walk; a device falls back to its profile's package.
 * @returns the id of the assignment that ended
 * @throws NotFoundError where none is in force, ValidationError
 */
export async function unassign(
  query: Query,
  actor: Actor,
  type: PackageType,
  subject: Subject,
  now: Date,
): Promise<string> {
  const one = requireOne(subject);
  return 'deviceProfileId' in one
    ? unassignProfile(query, actor, type, one.deviceProfileId, now)
    : unassignDevice(query, actor, type, one.deviceId, now);
}

function requireOne({ deviceProfileId, deviceId }: Subject): { deviceProfileId: string } | { deviceId: string } {
  if (deviceProfileId != null && deviceId == null) return { deviceProfileId };
  if (deviceId != null && deviceProfileId == null) return { deviceId };
  throw new ValidationError('Name exactly one of deviceProfileId and deviceId.');
}

/** FOR SHARE keeps it from being deleted until we commit. A living package has bytes or a URL: the database sees to it. */
async function assignablePackage(query: Query, actor: Actor, packageId: string): Promise<AssignablePackage> {
  const [found] = await query<AssignablePackage>(
    `SELECT id, type::text, device_profile_id FROM ota_package
     WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL FOR SHARE`,
    [packageId, actor.tenantId],
  );
  if (found === undefined) throw new NotFoundError('The package');
  return found;
}

async function assignToProfile(
  query: Query,
  actor: Actor,
  chosen: AssignablePackage,
  deviceProfileId: string,
  now: Date,
) {
  await requireProfile(query, actor, deviceProfileId);
  if (chosen.device_profile_id !== deviceProfileId)
    throw new IncompatibleError('The package was made for another device profile.');
  await lockProfile(query, deviceProfileId);
  const former = await inForce(query, chosen.type, { deviceProfileId });
  if (former?.package_id === chosen.id) return { assignmentId: former.id, isNew: false };
  if (former !== undefined) await endAssignment(query, former.id, now);
  const assignmentId = uuid();
  await query(
    `INSERT INTO assignment (id, tenant_id, type, package_id, device_profile_id, created_by_id, created_at, walking)
     VALUES ($1::uuid, $2::uuid, $3::package_type, $4::uuid, $5::uuid, $6::uuid, $7, true)`,
    [assignmentId, actor.tenantId, chosen.type, chosen.id, deviceProfileId, actor.userId, now],
  );
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'ASSIGNMENT', entityId: assignmentId });
  return { assignmentId, isNew: true };
}

async function unassignProfile(
  query: Query,
  actor: Actor,
  type: PackageType,
  deviceProfileId: string,
  now: Date,
): Promise<string> {
  await requireProfile(query, actor, deviceProfileId);
  await lockProfile(query, deviceProfileId);
  const former = await inForce(query, type, { deviceProfileId });
  if (former === undefined) throw new NotFoundError(`An assignment of ${type.toLowerCase()} to this profile`);
  await endAssignment(query, former.id, now);
  // The same walk from the start, with nothing effective.
  await query('UPDATE assignment SET walking = true, walked_to = NULL WHERE id = $1::uuid', [former.id]);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'ASSIGNMENT', entityId: former.id });
  return former.id;
}

async function assignToDevice(query: Query, actor: Actor, chosen: AssignablePackage, deviceId: string, now: Date) {
  const device = await requireDevice(query, actor, deviceId);
  if (device.device_profile_id !== chosen.device_profile_id) {
    throw new IncompatibleError("The package was made for another device profile than the device's.");
  }
  await shareProfiles(query, [device.device_profile_id]);
  const situation = await lockOwnSlot(query, actor, device, chosen.type);
  const former = await inForce(query, chosen.type, { deviceId });
  if (former?.package_id === chosen.id) return { assignmentId: former.id, isNew: false };
  if (former !== undefined) await endAssignment(query, former.id, now);
  const assignmentId = uuid();
  await query(
    `INSERT INTO assignment (id, tenant_id, type, package_id, device_id, created_by_id, created_at, device_count)
     VALUES ($1::uuid, $2::uuid, $3::package_type, $4::uuid, $5::uuid, $6::uuid, $7, 1)`,
    [assignmentId, actor.tenantId, chosen.type, chosen.id, deviceId, actor.userId, now],
  );
  await carryOut(query, situation, assignmentId, now, {
    tenantId: actor.tenantId,
    type: 'ASSIGNMENT',
    entityId: assignmentId,
  });
  return { assignmentId, isNew: true };
}

async function unassignDevice(
  query: Query,
  actor: Actor,
  type: PackageType,
  deviceId: string,
  now: Date,
): Promise<string> {
  const device = await requireDevice(query, actor, deviceId);
  await shareProfiles(query, [device.device_profile_id]);
  const situation = await lockOwnSlot(query, actor, device, type);
  const former = await inForce(query, type, { deviceId });
  if (former === undefined) throw new NotFoundError(`An assignment of ${type.toLowerCase()} to this device`);
  await endAssignment(query, former.id, now);
  await carryOut(query, situation, null, now, { tenantId: actor.tenantId, type: 'ASSIGNMENT', entityId: former.id });
  return former.id;
}

/** The slot gets its own assignment, or none, and is reconciled with what is effective then. */
async function carryOut(
  query: Query,
  { slot }: Situation,
  ownAssignmentId: string | null,
  now: Date,
  change: Parameters<typeof recordEntityChange>[1],
): Promise<void> {
  const key = { deviceId: slot.deviceId, type: slot.type };
  await query('UPDATE slot SET own_assignment_id = $3::uuid WHERE device_id = $1::uuid AND type = $2::package_type', [
    key.deviceId,
    key.type,
    ownAssignmentId,
  ]);
  const [after] = await lockSlots(query, [key]);
  if (after === undefined) throw new Error(`slot ${key.deviceId} ${key.type} is locked and gone`);
  const passage = reconcile(begin(after.slot), after.effective, now);
  await writeChanges(query, [{ before: slot, passage }], now, [change]);
}

async function lockOwnSlot(query: Query, actor: Actor, device: Device, type: PackageType): Promise<Situation> {
  const [situation] = await lockSlots(query, [{ deviceId: device.id, type }]);
  if (situation === undefined || !isWithin(actor, situation.slot)) throw new NotFoundError('The device');
  if (situation.slot.deviceProfileId !== device.device_profile_id) {
    throw new ConflictError('The device was moved to another profile at this moment. Try again.');
  }
  return situation;
}

async function inForce(query: Query, type: PackageType, subject: Subject): Promise<InForce | undefined> {
  const [found] = await query<InForce>(
    `SELECT id, package_id FROM assignment
     WHERE type = $1::package_type AND ended_at IS NULL AND (device_profile_id = $2::uuid OR device_id = $3::uuid)`,
    [type, subject.deviceProfileId ?? null, subject.deviceId ?? null],
  );
  return found;
}

async function endAssignment(query: Query, id: string, now: Date): Promise<void> {
  await query('UPDATE assignment SET ended_at = $2, walking = false WHERE id = $1::uuid', [id, now]);
}

async function requireProfile(query: Query, actor: Actor, id: string): Promise<void> {
  const found = await query(
    'SELECT 1 AS found FROM device_profile WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND $3::uuid IS NULL',
    [id, actor.tenantId, actor.customerId],
  );
  if (found.length === 0) throw new NotFoundError('The device profile');
}

async function requireDevice(query: Query, actor: Actor, id: string): Promise<Device> {
  const [found] = await query<Device>(
    `SELECT id, device_profile_id FROM device
     WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND ($3::uuid IS NULL OR customer_id = $3::uuid)`,
    [id, actor.tenantId, actor.customerId],
  );
  if (found === undefined) throw new NotFoundError('The device');
  return found;
}
