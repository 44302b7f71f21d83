/**
 * Packages: made whole or not at all, never changed but in their description, deleted only when nothing in force names them.
 *
 * An upload goes in three steps, of which only the last holds a transaction: `admitPackage` refuses early what can be known
 * before a gigabyte has travelled, `receivePackageBytes` takes the bytes in, `createPackage` keeps them and makes the package.
 */
import { v7 as uuid } from 'uuid';
import type { Actor } from './actor.ts';
import { ConflictError, InUseError, NotFoundError, TooLargeError } from './errors.ts';
import { recordEntityChange } from './log.ts';
import { lockBytes } from './package-bytes.ts';
import type { PackageDraft } from './package-draft.ts';
import type { ReceivedBytes } from './ports.ts';
import type { Query } from './query.ts';
import { longText } from './text.ts';

/**
 * Whether the package could be created now. It reserves nothing: `createPackage` asks again.
 * @throws NotFoundError where the device profile is not the tenant's, ConflictError
 */
export async function admitPackage(query: Query, actor: Actor, draft: PackageDraft): Promise<void> {
  await requireProfile(query, actor, draft.deviceProfileId);
  const taken = await query(
    'SELECT 1 AS found FROM ota_package WHERE tenant_id = $1::uuid AND title = $2 AND version = $3 AND deleted_at IS NULL',
    [actor.tenantId, draft.title, draft.version],
  );
  if (taken.length > 0) throw nameConflict(draft);
}

/**
 * Makes the package. Its bytes are durable before the row commits; where the transaction is rolled back after that, nothing
 * refers to them and a sweep removes them.
 * @param received the bytes where the draft is of a file, null where it is of a URL
 * @throws NotFoundError, ConflictError, TooLargeError
 */
export async function createPackage(
  query: Query,
  actor: Actor,
  draft: PackageDraft,
  received: ReceivedBytes | null,
  now: Date,
): Promise<{ id: string }> {
  await requireProfile(query, actor, draft.deviceProfileId);
  if (received !== null) {
    await requireRoom(query, actor, received.size);
    await lockBytes(query, received.sha256);
  }
  const id = uuid();
  const size = received?.size ?? draft.dataSize;
  // Of two at once the second waits here for the first to commit, and then finds its row.
  const inserted = await query(
    `INSERT INTO ota_package (id, tenant_id, device_profile_id, type, title, version, tag, description, file_name, content_type,
                              data_size, checksum_algorithm, checksum, sha256, url, created_at)
     VALUES ($1::uuid, $2::uuid, $3::uuid, $4::package_type, $5, $6, $7, $8, $9, $10,
             $11::text::bigint, $12::checksum_algorithm, $13, decode($14, 'hex'), $15, $16)
     ON CONFLICT (tenant_id, title, version) WHERE deleted_at IS NULL DO NOTHING RETURNING id`,
    [
      id,
      actor.tenantId,
      draft.deviceProfileId,
      draft.type,
      draft.title,
      draft.version,
      draft.tag,
      draft.description,
      draft.fileName,
      draft.contentType,
      size?.toString() ?? null,
      draft.checksumAlgorithm,
      received?.sha256 ?? draft.checksum,
      received?.sha256 ?? null,
      draft.url,
      now,
    ],
  );
  if (inserted.length === 0) throw nameConflict(draft);
  await received?.keep();
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'OTA_PACKAGE', entityId: id });
  return { id };
}

/**
 * The one change that a package knows.
 * @param description null takes it away
 * @returns the package's name, and the description as it was and as it is
 * @throws NotFoundError, ValidationError
 */
export async function describePackage(
  query: Query,
  actor: Actor,
  id: string,
  description: string | null,
): Promise<{ name: string; before: string | null; after: string | null }> {
  const after = description === null ? null : longText('The description', description);
  const [found] = await query<{ name: string; before: string | null }>(
    `SELECT title || ' ' || version AS name, description AS before FROM ota_package
     WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND $3::uuid IS NULL FOR NO KEY UPDATE`,
    [id, actor.tenantId, actor.customerId],
  );
  if (found === undefined) throw new NotFoundError('The package');
  await query('UPDATE ota_package SET description = $2 WHERE id = $1::uuid', [id, after]);
  return { ...found, after };
}

/**
 * Deletes a package; its row stays for the history. FOR UPDATE waits for an assignment under way, which holds the row
 * FOR SHARE until it commits, and makes a later one find the package deleted.
 * @returns its bytes, for `sweepBytes` after the commit; null where it had a URL
 * @throws NotFoundError, InUseError
 */
export async function deletePackage(
  query: Query,
  actor: Actor,
  id: string,
  now: Date,
): Promise<{ sha256: string | null }> {
  const [found] = await query<{ sha256: string | null }>(
    `SELECT encode(sha256, 'hex') AS sha256 FROM ota_package
     WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND $3::uuid IS NULL FOR UPDATE`,
    [id, actor.tenantId, actor.customerId],
  );
  if (found === undefined) throw new NotFoundError('The package');
  await requireUnassigned(query, id);
  await query('UPDATE ota_package SET deleted_at = $2, sha256 = NULL WHERE id = $1::uuid', [id, now]);
  await recordEntityChange(query, { tenantId: actor.tenantId, type: 'OTA_PACKAGE', entityId: id });
  return found;
}

/** Title and version of a package that is the actor's to see, deleted or not. */
export async function packageName(query: Query, actor: Actor, id: string): Promise<string | null> {
  const [found] = await query<{ name: string }>(
    `SELECT title || ' ' || version AS name FROM ota_package WHERE id = $1::uuid AND tenant_id = $2::uuid`,
    [id, actor.tenantId],
  );
  return found?.name ?? null;
}

async function requireUnassigned(query: Query, id: string): Promise<void> {
  const [use] = await query<{ profile: string | null; devices: number }>(
    `SELECT max(p.name) AS profile, count(a.device_id)::int AS devices
     FROM assignment a LEFT JOIN device_profile p ON p.id = a.device_profile_id
     WHERE a.package_id = $1::uuid AND a.ended_at IS NULL HAVING count(*) > 0`,
    [id],
  );
  if (use === undefined) return;
  const { profile, devices } = use;
  const users = [
    ...(profile === null ? [] : [`the device profile “${profile}”`]),
    ...(devices === 0 ? [] : [devices === 1 ? '1 device' : `${devices} devices`]),
  ];
  throw new InUseError(`The package is assigned to ${users.join(' and to ')}. Unassign it first.`);
}

/** FOR SHARE keeps it from being deleted until we commit. */
async function requireProfile(query: Query, actor: Actor, id: string): Promise<void> {
  const found = await query(
    `SELECT 1 AS found FROM device_profile
     WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND $3::uuid IS NULL FOR SHARE`,
    [id, actor.tenantId, actor.customerId],
  );
  if (found.length === 0) throw new NotFoundError('The device profile');
}

/** The locked row makes uploads of a limited tenant wait for each other, so that two do not fill the same room. */
async function requireRoom(query: Query, actor: Actor, size: number): Promise<void> {
  const [tenant] = await query<{ max: number }>(
    `SELECT total_bytes_max::float8 AS max FROM tenant
     WHERE id = $1::uuid AND total_bytes_max IS NOT NULL FOR NO KEY UPDATE`,
    [actor.tenantId],
  );
  if (tenant === undefined) return;
  const [total] = await query<{ used: number }>(
    `SELECT coalesce(sum(data_size), 0)::float8 AS used FROM ota_package WHERE tenant_id = $1::uuid AND sha256 IS NOT NULL`,
    [actor.tenantId],
  );
  const used = total?.used ?? 0;
  const excess = used + size - tenant.max;
  if (excess <= 0) return;
  throw new TooLargeError(
    `All packages of the tenant together may have ${tenant.max} bytes and have ${used}: this one exceeds the limit by ${excess} bytes.`,
  );
}

function nameConflict({ title, version }: PackageDraft): ConflictError {
  return new ConflictError(`A package “${title}”, version “${version}”, exists already.`);
}
