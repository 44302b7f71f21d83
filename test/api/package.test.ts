/** Packages on a real database and a real disk, through a pg client and through a Prisma transaction. */
import { createHash, randomBytes, randomUUID } from 'node:crypto';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { queryOn, transaction } from '../../server/adapters/database.ts';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import type { DiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { LIMITS } from '../../server/config.ts';
import { assign, unassign } from '../../server/domain/assignment.ts';
import { createDevice } from '../../server/domain/device.ts';
import {
  ChecksumMismatchError,
  ConflictError,
  InUseError,
  NotFoundError,
  Refusal,
  TooLargeError,
  ValidationError,
} from '../../server/domain/errors.ts';
import { receivePackageBytes, sweepBytes, sweepPackageBytes } from '../../server/domain/package-bytes.ts';
import { draftPackage } from '../../server/domain/package-draft.ts';
import type { PackageInput } from '../../server/domain/package-draft.ts';
import { admitPackage, createPackage, deletePackage } from '../../server/domain/package.ts';
import type { PackageStore } from '../../server/domain/ports.ts';
import type { Query, Transaction } from '../../server/domain/query.ts';
import { collect } from '../support/collect.ts';
import { testDatabase } from '../support/database.ts';
import { seedProfile, seedTenant } from '../support/seed.ts';
import type { Tenant } from '../support/seed.ts';
import { gate, someoneWaits, uncommitted } from '../support/uncommitted.ts';

const NOW = new Date('2026-01-02T03:04:05.678Z');

let database: Awaited<ReturnType<typeof testDatabase>>;
let parent: string;
let store: DiskPackageStore;
let query: Query;
/** On a pg client. */
let transact: Transaction;
let tenant: Tenant;
let profileId: string;

beforeAll(async () => {
  database = await testDatabase();
  parent = await mkdtemp(join(tmpdir(), 'aloft-package-'));
  store = await openDiskPackageStore(join(parent, 'packages'), LIMITS);
  query = queryOn(database.pool);
  transact = (work) => transaction(database.pool, work);
});

afterAll(async () => {
  await store[Symbol.asyncDispose]();
  await database[Symbol.asyncDispose]();
  await rm(parent, { recursive: true });
});

beforeEach(async () => {
  tenant = await seedTenant(query);
  profileId = await seedProfile(query, tenant, 'Thermostats');
});

const TRANSACTIONS: Record<string, Transaction> = {
  'a pg client': (work) => transaction(database.pool, work),
  Prisma: (work) =>
    database.prisma.$transaction((prisma) =>
      work(<R>(text: string, values: readonly unknown[]) => prisma.$queryRawUnsafe<R[]>(text, ...values)),
    ),
};

describe.each(Object.entries(TRANSACTIONS))('through %s', (_name, through) => {
  test('P5 a file becomes a package with its bytes, size, name and type', async () => {
    const bytes = randomBytes(100_000);
    const { id } = await upload(bytes, { tag: 'beta', description: 'Two\nlines' }, through);
    const sha256 = sha256Of(bytes);
    expect(await row(id)).toEqual({
      id,
      tenant_id: tenant.id,
      device_profile_id: profileId,
      type: 'FIRMWARE',
      title: 'fw',
      version: '1',
      tag: 'beta',
      description: 'Two\nlines',
      file_name: 'fw.bin',
      content_type: 'application/zip',
      data_size: '100000',
      checksum_algorithm: 'SHA256',
      checksum: sha256,
      sha256: Buffer.from(sha256, 'hex'),
      url: null,
      created_at: NOW,
      deleted_at: null,
    });
    expect(bytes.equals(await buffer(await store.open(sha256)))).toBe(true);
    expect(await changes(id)).toBe(1);
  });

  test('P6 a URL becomes a package without bytes, with size and checksum where they were given', async () => {
    const url = 'https://example.com/fw.bin';
    const bare = await createByUrl({ url }, through);
    expect(await row(bare.id)).toMatchObject({ url, sha256: null, data_size: null, checksum: null, file_name: null });
    const told = await createByUrl(
      { version: '2', url, dataSize: 2 ** 40, checksumAlgorithm: 'MD5', checksum: 'AB'.repeat(16) },
      through,
    );
    expect(await row(told.id)).toMatchObject({
      data_size: String(2 ** 40),
      checksum_algorithm: 'MD5',
      checksum: 'ab'.repeat(16),
    });
  });

  test('P2 of two packages with one title and version, created at once, one wins and the other gets CONFLICT', async () => {
    const outcomes = await Promise.all([1, 2].map((byte) => outcome(upload(Buffer.of(byte), {}, through))));
    expect(outcomes.toSorted()).toEqual(['CONFLICT', 'done']);
    expect(await living()).toHaveLength(1);
  });

  test('P8 deleting leaves the row without its bytes, and its name is free again', async () => {
    const bytes = randomBytes(10);
    const { id } = await upload(bytes, {}, through);
    const deleted = await through((inTransaction) => deletePackage(inTransaction, tenant.actor, id, NOW));
    expect(deleted).toEqual({ sha256: sha256Of(bytes) });
    expect(await sweepBytes(through, store, sha256Of(bytes))).toBe(true);
    expect(await row(id)).toMatchObject({ deleted_at: NOW, sha256: null, checksum: sha256Of(bytes), data_size: '10' });
    await expect(store.open(sha256Of(bytes))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await changes(id)).toBe(2);
    await upload(bytes, {}, through);
    expect(await living()).toHaveLength(1);
  });

  test('P13 a tenant’s total limit refuses the package that would exceed it and says by how much', async () => {
    await query('UPDATE tenant SET total_bytes_max = $2 WHERE id = $1::uuid', [tenant.id, '5000000000']);
    await upload(Buffer.alloc(1_000), { version: '1' }, through);
    await query('UPDATE ota_package SET data_size = $2 WHERE tenant_id = $1::uuid', [tenant.id, '4999999990']);
    await upload(Buffer.alloc(10), { version: '2' }, through);
    await expect(upload(Buffer.alloc(7), { version: '3' }, through)).rejects.toThrow(
      new TooLargeError(
        'All packages of the tenant together may have 5000000000 bytes and have 5000000000: this one exceeds the limit by 7 bytes.',
      ),
    );
    await createByUrl({ version: '4', url: 'https://example.com/', dataSize: 7 }, through);
  });
});

describe('creation', () => {
  test('P2 title and version are unique over both types, and free in another tenant', async () => {
    await upload(Buffer.of(1));
    await expect(upload(Buffer.of(2), { type: 'SOFTWARE' })).rejects.toThrow(
      new ConflictError('A package “fw”, version “1”, exists already.'),
    );
    await expect(admit({ type: 'SOFTWARE' })).rejects.toThrow(ConflictError);
    await admit({ version: '1.0' });
    tenant = await seedTenant(query, 'Another');
    profileId = await seedProfile(query, tenant, 'Thermostats');
    await admit();
    await upload(Buffer.of(1));
  });

  test('P2 the second of two waits for the first, and takes the name where the first is rolled back', async () => {
    const first = await uncommitted(transact, (q) =>
      createPackage(q, tenant.actor, draft({ url: 'https://a/' }), null, NOW),
    );
    const second = createByUrl({ url: 'https://b/' });
    await someoneWaits(query);
    await first.rollBack();
    expect(await row((await second).id)).toMatchObject({ url: 'https://b/' });
  });

  test('P13 two that fit one by one but not together do not both get in', async () => {
    await query('UPDATE tenant SET total_bytes_max = 10 WHERE id = $1::uuid', [tenant.id]);
    const outcomes = await Promise.all(['1', '2', '3'].map((version) => outcome(upload(randomBytes(6), { version }))));
    expect(outcomes.toSorted()).toEqual(['TOO_LARGE', 'TOO_LARGE', 'done']);
  });

  test('a device profile of another tenant, a deleted one and one that never was are not found', async () => {
    const own = profileId;
    const other = await seedTenant(query, 'Other');
    const theirs = await seedProfile(query, other, 'Theirs');
    await query('UPDATE device_profile SET deleted_at = now() WHERE id = $1::uuid', [own]);
    for (const deviceProfileId of [theirs, own, randomUUID()]) {
      await expect(admit({ deviceProfileId })).rejects.toThrow(NotFoundError);
      await expect(upload(Buffer.of(1), { deviceProfileId })).rejects.toThrow(NotFoundError);
    }
    expect(await living()).toEqual([]);
  });

  test('P3 the right checksum in any case is taken; a differing one is CHECKSUM_MISMATCH and nothing is stored', async () => {
    const bytes = randomBytes(1_000);
    const sha256 = sha256Of(bytes);
    await expect(upload(bytes, { checksum: sha256Of(Buffer.of(1)) })).rejects.toThrow(
      new ChecksumMismatchError(
        `The SHA256 of the 1000 bytes that arrived is ${sha256}, not ${sha256Of(Buffer.of(1))}.`,
      ),
    );
    await expect(store.open(sha256)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(join(parent, 'packages', 'incoming'))).toEqual([]);
    expect(await living()).toEqual([]);
    const { id } = await upload(bytes, { checksum: sha256.toUpperCase() });
    expect(await row(id)).toMatchObject({ checksum: sha256 });
  });

  test('P5 an empty file is refused', async () => {
    await expect(upload(Buffer.alloc(0))).rejects.toThrow(new ValidationError('The file is empty.'));
    expect(await readdir(join(parent, 'packages', 'incoming'))).toEqual([]);
    expect(await living()).toEqual([]);
  });

  test('a refused creation leaves no bytes behind', async () => {
    await upload(Buffer.of(1));
    const bytes = randomBytes(10);
    await expect(upload(bytes)).rejects.toThrow(ConflictError);
    await expect(store.open(sha256Of(bytes))).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await readdir(join(parent, 'packages', 'incoming'))).toEqual([]);
  });
});

describe('deletion', () => {
  test('P8 what an assignment in force names cannot be deleted, and the refusal says who has it', async () => {
    const { id } = await upload(Buffer.of(1));
    await expect(assignAndDelete(id, { deviceProfileId: profileId })).rejects.toThrow(
      new InUseError('The package is assigned to the device profile “Thermostats”. Unassign it first.'),
    );
    const first = await device('D1');
    await expect(assignAndDelete(id, { deviceId: first })).rejects.toThrow(
      new InUseError('The package is assigned to the device profile “Thermostats” and to 1 device. Unassign it first.'),
    );
    await transact((q) => unassign(q, tenant.actor, 'FIRMWARE', { deviceProfileId: profileId }, NOW));
    await expect(assignAndDelete(id, { deviceId: await device('D2') })).rejects.toThrow(
      new InUseError('The package is assigned to 2 devices. Unassign it first.'),
    );
    expect(await living()).toEqual([id]);
    await transact((q) => unassign(q, tenant.actor, 'FIRMWARE', { deviceId: first }, NOW));
    await expect(remove(id)).rejects.toThrow('assigned to 1 device.');
  });

  test('P8 when the assignment commits first, a deletion that came meanwhile is refused', async () => {
    const { id } = await upload(Buffer.of(1));
    const assigning = await uncommitted(transact, (q) =>
      assign(q, tenant.actor, id, { deviceProfileId: profileId }, NOW),
    );
    const deleting = outcome(remove(id));
    await someoneWaits(query);
    await assigning.commit();
    expect(await deleting).toBe('IN_USE');
  });

  test('P8 when the deletion commits first, an assignment that came meanwhile does not find the package', async () => {
    const { id } = await upload(Buffer.of(1));
    const deleting = await uncommitted(transact, (q) => deletePackage(q, tenant.actor, id, NOW));
    const assigning = outcome(transact((q) => assign(q, tenant.actor, id, { deviceProfileId: profileId }, NOW)));
    await someoneWaits(query);
    await deleting.commit();
    expect(await assigning).toBe('NOT_FOUND');
  });

  test('P8 however deletions and assignments race, no deleted package is assigned', async () => {
    const outcomes = new Set<string>();
    for (let round = 0; round < 40; round += 1) {
      const { id } = await createByUrl({ version: `${round}`, url: 'https://a/' });
      const assigning = () =>
        outcome(transact((q) => assign(q, tenant.actor, id, { deviceProfileId: profileId }, NOW)));
      const deleting = () => outcome(remove(id));
      const [first, second] = round % 2 === 0 ? [assigning, deleting] : [deleting, assigning];
      const [one, other] = await Promise.all([first(), second()]);
      outcomes.add(round % 2 === 0 ? `${one} ${other}` : `${other} ${one}`);
    }
    expect(['done IN_USE', 'NOT_FOUND done']).toEqual(expect.arrayContaining([...outcomes]));
    expect(
      await query(
        'SELECT p.id FROM assignment a JOIN ota_package p ON p.id = a.package_id WHERE a.ended_at IS NULL AND p.deleted_at IS NOT NULL',
        [],
      ),
    ).toEqual([]);
  });

  test('a package of another tenant, a deleted one and one for a customer’s user are not found', async () => {
    const { id } = await upload(Buffer.of(1));
    const other = await seedTenant(query, 'Other');
    await expect(transact((q) => deletePackage(q, other.actor, id, NOW))).rejects.toThrow(NotFoundError);
    const customerUser = { ...tenant.actor, customerId: randomUUID() };
    await expect(transact((q) => deletePackage(q, customerUser, id, NOW))).rejects.toThrow(NotFoundError);
    await remove(id);
    await expect(remove(id)).rejects.toThrow(NotFoundError);
  });

  test('P8 deleting one of two packages with the same bytes leaves the bytes, deleting both frees them', async () => {
    const bytes = randomBytes(50);
    const sha256 = sha256Of(bytes);
    const { id } = await upload(bytes);
    const inOtherTenant = await seedTenant(query, 'Other');
    const owner = tenant;
    tenant = inOtherTenant;
    profileId = await seedProfile(query, tenant, 'P');
    const second = await upload(bytes);
    tenant = owner;
    await remove(id);
    expect(await sweepBytes(transact, store, sha256)).toBe(false);
    expect(await buffer(await store.open(sha256))).toEqual(bytes);
    tenant = inOtherTenant;
    await remove(second.id);
    expect(await sweepBytes(transact, store, sha256)).toBe(true);
    await expect(store.open(sha256)).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('the sweep of bytes', () => {
  test('U13 bytes whose package never committed go, those of living packages stay', async () => {
    const kept = randomBytes(10);
    await upload(kept);
    const lost = randomBytes(10);
    const dying = await uncommitted(transact, (q) => receiveAndCreate(q, lost, { version: '2' }));
    await dying.rollBack();
    expect(await collect(store.list())).toEqual(expect.arrayContaining([sha256Of(kept), sha256Of(lost)]));
    expect(await sweepPackageBytes(transact, store)).toBeGreaterThanOrEqual(1);
    const stored = await collect(store.list());
    expect(stored).toContain(sha256Of(kept));
    expect(stored).not.toContain(sha256Of(lost));
    expect(await sweepPackageBytes(transact, store)).toBe(0);
  });

  test('it waits for an upload of the same bytes that is about to commit, and spares them', async () => {
    const bytes = randomBytes(10);
    const uploading = await uncommitted(transact, (q) => receiveAndCreate(q, bytes));
    const sweeping = sweepBytes(transact, store, sha256Of(bytes));
    await someoneWaits(query);
    await uploading.commit();
    expect(await sweeping).toBe(false);
    expect(await buffer(await store.open(sha256Of(bytes)))).toEqual(bytes);
  });

  test('an upload of the same bytes waits for a sweep that is removing them, and keeps them anew', async () => {
    const bytes = randomBytes(10);
    await remove((await upload(bytes)).id);
    const reached = gate<void>();
    const release = gate<void>();
    const slow: Pick<PackageStore, 'remove'> = {
      async remove(sha256) {
        reached.open();
        await release.opened;
        await store.remove(sha256);
      },
    };
    const sweeping = sweepBytes(transact, slow, sha256Of(bytes));
    await reached.opened;
    const uploading = upload(bytes);
    await someoneWaits(query);
    release.open();
    expect(await sweeping).toBe(true);
    await uploading;
    expect(await buffer(await store.open(sha256Of(bytes)))).toEqual(bytes);
  });

  test('however uploads, deletions and sweeps of the same bytes race, a living package has its bytes', async () => {
    const bytes = randomBytes(10);
    for (let round = 0; round < 30; round += 1) {
      const { id } = await upload(bytes, { version: `${round}a` });
      const [, second] = await Promise.all([
        remove(id).then(() => sweepBytes(transact, store, sha256Of(bytes))),
        upload(bytes, { version: `${round}b` }),
        sweepPackageBytes(transact, store),
      ]);
      expect(await buffer(await store.open(sha256Of(bytes)))).toEqual(bytes);
      await remove(second.id);
    }
    await sweepPackageBytes(transact, store);
    expect(await collect(store.list())).not.toContain(sha256Of(bytes));
  });

  test('a database that never held a package empties no store', async () => {
    const bytes = randomBytes(10);
    await upload(bytes);
    await using empty = await testDatabase();
    expect(await sweepPackageBytes((work) => transaction(empty.pool, work), store)).toBe(0);
    expect(await buffer(await store.open(sha256Of(bytes)))).toEqual(bytes);
  });
});

function draft(its: Partial<PackageInput> = {}) {
  const file = its.url == null ? { name: 'fw.bin', contentType: 'application/zip' } : null;
  return draftPackage({ title: 'fw', version: '1', type: 'FIRMWARE', deviceProfileId: profileId, file, ...its });
}

function receive(bytes: Buffer, of: ReturnType<typeof draft>) {
  return receivePackageBytes(store, of, Readable.from([bytes]), 1_000_000);
}

async function receiveAndCreate(q: Query, bytes: Buffer, its: Partial<PackageInput> = {}): Promise<{ id: string }> {
  const drafted = draft(its);
  await using received = await receive(bytes, drafted);
  return await createPackage(q, tenant.actor, drafted, received, NOW);
}

async function upload(bytes: Buffer, its: Partial<PackageInput> = {}, through = transact): Promise<{ id: string }> {
  const { actor } = tenant;
  const drafted = draft(its);
  await using received = await receive(bytes, drafted);
  return await through((q) => createPackage(q, actor, drafted, received, NOW));
}

function createByUrl(its: Partial<PackageInput>, through = transact): Promise<{ id: string }> {
  return through((q) => createPackage(q, tenant.actor, draft(its), null, NOW));
}

function admit(its: Partial<PackageInput> = {}): Promise<void> {
  return admitPackage(query, tenant.actor, draft(its));
}

function remove(id: string): Promise<{ sha256: string | null }> {
  return transact((q) => deletePackage(q, tenant.actor, id, NOW));
}

async function assignAndDelete(id: string, subject: Parameters<typeof assign>[3]) {
  await transact((q) => assign(q, tenant.actor, id, subject, NOW));
  return remove(id);
}

async function device(name: string): Promise<string> {
  return (await transact((q) => createDevice(q, tenant.actor, { name, deviceProfileId: profileId }, NOW))).id;
}

async function row(id: string): Promise<unknown> {
  return (await query('SELECT * FROM ota_package WHERE id = $1::uuid', [id]))[0];
}

async function living(): Promise<string[]> {
  const rows = await query<{ id: string }>(
    'SELECT id FROM ota_package WHERE tenant_id = $1::uuid AND deleted_at IS NULL',
    [tenant.id],
  );
  return rows.map(({ id }) => id);
}

async function changes(id: string): Promise<number> {
  const rows = await query("SELECT 1 FROM entity_change WHERE entity_id = $1::uuid AND type = 'OTA_PACKAGE'", [id]);
  return rows.length;
}

/** The code of the refusal, or that it was done. */
async function outcome(act: Promise<unknown>): Promise<string> {
  try {
    await act;
    return 'done';
  } catch (error) {
    if (error instanceof Refusal) return error.code;
    throw error;
  }
}

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
