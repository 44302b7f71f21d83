/** Devices: creation, moves between profiles and customers, deletion, tokens. Each keeps the slots true in its own transaction. */
import { v7 as uuid } from 'uuid';
import type { PackageType } from '../../prisma/client/enums.ts';
import { isWithin } from './actor.ts';
import type { Actor } from './actor.ts';
import { ConflictError, IncompatibleError, NotFoundError, ValidationError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import type { EntityChange } from './log.ts';
import { begin, moveTo, openUpdate } from './passage.ts';
import { shareProfiles } from './profile-lock.ts';
import type { Query } from './query.ts';
import { reconcile } from './reconcile.ts';
import { effectiveInProfile, lockSlots } from './slot.ts';
import type { Situation, Slot } from './slot.ts';
import { shortText } from './text.ts';
import { hashToken, newToken } from './token.ts';
import { writeChanges } from './update.ts';
import type { Change } from './update.ts';

/** A device has a slot for each. */
const TYPES = ['FIRMWARE', 'SOFTWARE'] as const satisfies readonly PackageType[];

/** What a device can present in a URL path and as an MQTT user name alike. */
const ACCESS_TOKEN = /^[A-Za-z0-9._~+=@:$-]{1,255}$/;

export interface DeviceDraft {
  readonly name: string;
  readonly deviceProfileId: string;
  readonly customerId?: string | null | undefined;
  /** Made by us where absent. */
  readonly accessToken?: string | null | undefined;
}

/**
 * A device with a slot for each package type; its profile's assignments are queued for it at once.
 * @returns its id and its access token, which is not to be had again
 * @throws ValidationError, NotFoundError, ConflictError
 */
export async function createDevice(
  query: Query,
  actor: Actor,
  draft: DeviceDraft,
  now: Date,
): Promise<{ id: string; accessToken: string }> {
  const name = shortText('The name', draft.name);
  const accessToken = draft.accessToken ?? newToken();
  requireAccessToken(accessToken);
  const { tenantId } = actor;
  const { deviceProfileId } = draft;
  const customerId = draft.customerId ?? null;
  await shareProfiles(query, [deviceProfileId]);
  await requireProfile(query, actor, deviceProfileId);
  if (customerId !== null) await requireCustomer(query, actor, customerId);

  const id = uuid();
  const inserted = await query(
    `INSERT INTO device (id, tenant_id, device_profile_id, customer_id, name, access_token_hash, created_at)
     VALUES ($1::uuid, $2::uuid, $3::uuid, $4::uuid, $5, $6, $7) ON CONFLICT DO NOTHING RETURNING id`,
    [id, tenantId, deviceProfileId, customerId, name, hashToken(accessToken), now],
  );
  if (inserted.length === 0) throw await conflictOf(query, actor, name);

  const effective = await effectiveInProfile(query, deviceProfileId);
  const changes = TYPES.map((type): Change => {
    const slot = emptySlot({ deviceId: id, type, tenantId, deviceProfileId, customerId, name }, now);
    return { before: null, passage: reconcile(begin(slot), effective.get(type) ?? null, now) };
  });
  await writeChanges(query, changes, now, [changeOf(actor, id)]);
  return { id, accessToken };
}

export interface DeviceEdit {
  readonly name?: string | null | undefined;
  readonly deviceProfileId?: string | null | undefined;
  /** Null takes the device from its customer. */
  readonly customerId?: string | null | undefined;
}

/**
 * Renames a device, moves it to another profile, gives it to another customer. Moved, it follows its new profile at once.
 * @throws ValidationError, NotFoundError, ConflictError; IncompatibleError where its own package was made for the old profile
 */
export async function updateDevice(query: Query, actor: Actor, id: string, edit: DeviceEdit, now: Date): Promise<void> {
  const device = await requireDevice(query, actor, id);
  const name = edit.name == null ? device.name : shortText('The name', edit.name);
  const deviceProfileId = edit.deviceProfileId ?? device.deviceProfileId;
  const customerId = edit.customerId === undefined ? device.customerId : edit.customerId;
  const isMoved = deviceProfileId !== device.deviceProfileId;

  await shareProfiles(query, [device.deviceProfileId, deviceProfileId]);
  if (isMoved) await requireProfile(query, actor, deviceProfileId);
  if (customerId !== null && customerId !== device.customerId) await requireCustomer(query, actor, customerId);
  const situations = await lockDevice(query, actor, device);
  if (isMoved && situations.some(({ slot }) => slot.ownAssignmentId !== null)) {
    throw new IncompatibleError(
      'The device has a package of its own that was made for its present profile. Clear it first.',
    );
  }
  if (name !== device.name && (await isNameTaken(query, actor, name))) throw nameConflict(name);
  await query('UPDATE device SET name = $2, device_profile_id = $3::uuid, customer_id = $4::uuid WHERE id = $1::uuid', [
    id,
    name,
    deviceProfileId,
    customerId,
  ]);

  const there = isMoved ? await effectiveInProfile(query, deviceProfileId) : null;
  const changes = situations.map(({ slot, effective }): Change => {
    const target = there === null ? effective : (there.get(slot.type) ?? null);
    return { before: slot, passage: reconcile(begin({ ...slot, name, deviceProfileId, customerId }), target, now) };
  });
  await writeChanges(query, changes, now, [changeOf(actor, id)]);
}

/** Ends what is open, takes the device out of every count, and keeps its history. Its token is worth nothing from then on. */
export async function deleteDevice(query: Query, actor: Actor, id: string, now: Date): Promise<void> {
  const device = await requireDevice(query, actor, id);
  const situations = await lockDevice(query, actor, device);
  await query('UPDATE assignment SET ended_at = $2 WHERE device_id = $1::uuid AND ended_at IS NULL', [id, now]);
  await query('UPDATE device SET deleted_at = $2, access_token_hash = NULL WHERE id = $1::uuid', [id, now]);
  await query('DELETE FROM device_client_attributes WHERE device_id = $1::uuid', [id]);
  const changes = situations.map(({ slot }): Change => {
    const passage = begin(slot);
    const ended = openUpdate(slot) ? moveTo(passage, { state: 'CANCELED', result: 'CANCELED' }, now) : passage;
    return { before: slot, passage: ended, isDeleted: true };
  });
  await writeChanges(query, changes, now, [changeOf(actor, id)]);
}

/** @returns the new access token; the old one is worth nothing once this commits */
export async function rotateAccessToken(query: Query, actor: Actor, id: string): Promise<string> {
  const device = await requireDevice(query, actor, id);
  const accessToken = newToken();
  await query('UPDATE device SET access_token_hash = $2 WHERE id = $1::uuid AND deleted_at IS NULL', [
    device.id,
    hashToken(accessToken),
  ]);
  await recordEntityChange(query, changeOf(actor, id));
  return accessToken;
}

export interface Device {
  readonly id: string;
  readonly name: string;
  readonly deviceProfileId: string;
  readonly customerId: string | null;
}

/** The device as it is known to people. @throws NotFoundError where it is not the actor's to see */
export async function requireDevice(query: Query, actor: Actor, id: string): Promise<Device> {
  const [device] = await query<Device & { tenantId: string }>(
    `SELECT id, tenant_id AS "tenantId", name, device_profile_id AS "deviceProfileId", customer_id AS "customerId"
     FROM device WHERE id = $1::uuid AND deleted_at IS NULL`,
    [id],
  );
  if (device === undefined || !isWithin(actor, device)) throw new NotFoundError('The device');
  return device;
}

/** Both slots, locked; the device is as it was read, or somebody else was faster. */
async function lockDevice(query: Query, actor: Actor, device: Device): Promise<Situation[]> {
  const situations = await lockSlots(
    query,
    TYPES.map((type) => ({ deviceId: device.id, type })),
  );
  const [first] = situations;
  if (first === undefined || !isWithin(actor, first.slot)) throw new NotFoundError('The device');
  const isAsRead =
    first.slot.deviceProfileId === device.deviceProfileId &&
    first.slot.customerId === device.customerId &&
    first.slot.name === device.name;
  if (!isAsRead) throw new ConflictError('The device was changed by somebody else at this moment. Try again.');
  return situations;
}

async function requireProfile(query: Query, actor: Actor, id: string): Promise<void> {
  const found = await query(
    'SELECT 1 AS found FROM device_profile WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL',
    [id, actor.tenantId],
  );
  if (found.length === 0) throw new NotFoundError('The device profile');
}

async function requireCustomer(query: Query, actor: Actor, id: string): Promise<void> {
  const found = await query(
    'SELECT 1 AS found FROM customer WHERE id = $1::uuid AND tenant_id = $2::uuid FOR KEY SHARE',
    [id, actor.tenantId],
  );
  if (found.length === 0) throw new NotFoundError('The customer');
}

function requireAccessToken(token: string): void {
  if (ACCESS_TOKEN.test(token)) return;
  throw new ValidationError('An access token has 1 to 255 letters, digits and . _ ~ + = @ : $ -');
}

async function conflictOf(query: Query, actor: Actor, name: string): Promise<ConflictError> {
  return (await isNameTaken(query, actor, name))
    ? nameConflict(name)
    : new ConflictError('This access token is taken. Choose another.');
}

async function isNameTaken(query: Query, actor: Actor, name: string): Promise<boolean> {
  const found = await query(
    'SELECT 1 AS found FROM device WHERE tenant_id = $1::uuid AND name = $2 AND deleted_at IS NULL',
    [actor.tenantId, name],
  );
  return found.length > 0;
}

function nameConflict(name: string): ConflictError {
  return new ConflictError(`There is a device named ${name} already.`);
}

function changeOf(actor: Actor, id: string): EntityChange {
  return { tenantId: actor.tenantId, type: 'DEVICE', entityId: id };
}

function emptySlot(
  its: Pick<Slot, 'deviceId' | 'type' | 'tenantId' | 'deviceProfileId' | 'customerId' | 'name'>,
  now: Date,
): Slot {
  return {
    ...its,
    ownAssignmentId: null,
    current: { title: null, version: null, reportedAt: null },
    targetPackageId: null,
    toldPackageId: null,
    offer: 0,
    deliveredOffer: 0,
    deliveredAt: null,
    update: null,
    stateAt: now,
  };
}
