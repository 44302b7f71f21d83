/** Rows that tests start from, written as the server would write them. */
import { createHash } from 'node:crypto';
import { v7 as uuid } from 'uuid';
import type { PackageType } from '../../prisma/client/enums.ts';
import type { Actor } from '../../server/domain/actor.ts';
import type { Query } from '../../server/domain/query.ts';

export interface Tenant {
  readonly id: string;
  /** Its administrator, as the domain sees one. */
  readonly actor: Actor;
}

export async function seedTenant(query: Query, name = 'Tenant'): Promise<Tenant> {
  const id = uuid();
  await query('INSERT INTO tenant (id, name) VALUES ($1::uuid, $2)', [id, name]);
  return { id, actor: { tenantId: id, userId: null, customerId: null } };
}

export async function seedProfile(query: Query, tenant: Tenant, name: string): Promise<string> {
  const id = uuid();
  await query('INSERT INTO device_profile (id, tenant_id, name) VALUES ($1::uuid, $2::uuid, $3)', [
    id,
    tenant.id,
    name,
  ]);
  return id;
}

export async function seedCustomer(query: Query, tenant: Tenant, title: string): Promise<string> {
  const id = uuid();
  await query('INSERT INTO customer (id, tenant_id, title) VALUES ($1::uuid, $2::uuid, $3)', [id, tenant.id, title]);
  return id;
}

/** A package by its row alone: its bytes are in no store. */
export async function seedPackage(
  query: Query,
  tenant: Tenant,
  its: { deviceProfileId: string; title: string; version: string; type?: PackageType },
): Promise<string> {
  const id = uuid();
  const sha256 = createHash('sha256').update(`${its.title} ${its.version}`).digest();
  await query(
    `INSERT INTO ota_package (id, tenant_id, device_profile_id, type, title, version, data_size, checksum_algorithm, checksum, sha256, file_name, content_type)
     VALUES ($1::uuid, $2::uuid, $3::uuid, $4::package_type, $5, $6, 1000, 'SHA256', encode($7, 'hex'), $7, 'f.bin', 'application/octet-stream')`,
    [id, tenant.id, its.deviceProfileId, its.type ?? 'FIRMWARE', its.title, its.version, sha256],
  );
  return id;
}
