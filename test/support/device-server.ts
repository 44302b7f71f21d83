/**
 * The device API on a real socket, database and store. No loops run: a test says itself when queued devices are told, so that it can
 * look at every state between.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { promisify } from 'node:util';
import { pino } from 'pino';
import type { PackageType } from '../../prisma/client/enums.ts';
import type { Database } from '../../server/adapters/database.ts';
import { queryOn, transaction } from '../../server/adapters/database.ts';
import { Disposers } from '../../server/adapters/disposers.ts';
import { DatabaseEventLog } from '../../server/adapters/event-log.ts';
import { GroupCommit } from '../../server/adapters/group-commit.ts';
import { HttpBytes } from '../../server/adapters/http-bytes/http-bytes.ts';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { orUnavailable } from '../../server/adapters/passing-error.ts';
import { LIMITS } from '../../server/config.ts';
import type { Limits } from '../../server/config.ts';
import { DeviceApi } from '../../server/devices/device-api.ts';
import { deviceRoutes } from '../../server/devices/http.ts';
import { assign, unassign } from '../../server/domain/assignment.ts';
import type { Subject } from '../../server/domain/assignment.ts';
import { createDevice } from '../../server/domain/device.ts';
import { receivePackageBytes } from '../../server/domain/package-bytes.ts';
import { draftPackage } from '../../server/domain/package-draft.ts';
import type { PackageInput } from '../../server/domain/package-draft.ts';
import { createPackage } from '../../server/domain/package.ts';
import type { Clock } from '../../server/domain/ports.ts';
import type { Query } from '../../server/domain/query.ts';
import { readSlots } from '../../server/domain/slot.ts';
import type { Situation } from '../../server/domain/slot.ts';
import { tell } from '../../server/domain/tell.ts';
import { walkSlice } from '../../server/domain/walk.ts';
import { testDatabase } from './database.ts';
import { seedProfile, seedTenant } from './seed.ts';
import type { Tenant } from './seed.ts';

const SILENT = pino({ level: 'silent' });

/** As fast as devices can be told. */
const NO_PACE = { intervalMs: 1, size: 1_000_000 };

export interface TestDevice {
  readonly id: string;
  readonly accessToken: string;
}

export interface TestPackage {
  readonly id: string;
  readonly type: PackageType;
  readonly title: string;
  readonly version: string;
  readonly bytes: Buffer;
  readonly sha256: string;
}

export class DeviceServer implements AsyncDisposable {
  readonly url: string;
  readonly query: Query;
  readonly api: DeviceApi;
  readonly tenant: Tenant;
  readonly profileId: string;
  readonly clock: Clock;
  readonly #parts: Parts;
  readonly #stop: AsyncDisposable;
  #count = 0;

  static async open(overrides: Partial<Limits> = {}): Promise<DeviceServer> {
    const parts = new Disposers(SILENT);
    try {
      return await DeviceServer.#openParts(parts, { ...LIMITS, ...overrides });
    } catch (error) {
      await parts[Symbol.asyncDispose]();
      throw error;
    }
  }

  static async #openParts(parts: Disposers, limits: Limits): Promise<DeviceServer> {
    const database = parts.use('database', await testDatabase());
    const query = orUnavailable(queryOn(database.pool));
    const directory = await mkdtemp(join(tmpdir(), 'aloft-devices-'));
    parts.use('directory', { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) });
    const store = parts.use('store', await openDiskPackageStore(join(directory, 'packages'), limits));
    const log = parts.use('log', await DatabaseEventLog.open(database, limits, SILENT));
    const clock = { now: () => Date.now() };
    const api = parts.use(
      'device API',
      new DeviceApi({
        query,
        transaction: (act) => transaction(database.writers, act),
        groupCommit: (acts) =>
          new GroupCommit({
            ...acts,
            gatherMs: limits.reportGatherMs,
            batchMax: limits.reportBatchMax,
            batchesInFlightMax: limits.reportBatchesInFlightMax,
            queueMax: limits.reportQueueMax,
            queueOfKeyMax: limits.reportQueueOfDeviceMax,
            retriesMax: limits.reportRetriesMax,
            retryAfterMs: limits.reportRetryAfterMs,
          }),
        log,
        store,
        clock,
        limits,
        logger: SILENT,
      }),
    );
    const answer = deviceRoutes(api, new HttpBytes(limits), limits, SILENT);
    const server = createServer((incoming, outgoing) => {
      if (!answer(incoming, outgoing)) outgoing.writeHead(404).end();
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    parts.use('listener', {
      [Symbol.dispose]() {
        server.closeAllConnections();
        server.close();
      },
    });
    const tenant = await seedTenant(query);
    const profileId = await seedProfile(query, tenant, 'Profile');
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    return new DeviceServer({ database, store, listener: server, query, api, clock, url, tenant, profileId }, parts);
  }

  constructor(parts: Parts, stop: AsyncDisposable) {
    this.#parts = parts;
    this.#stop = stop;
    ({
      url: this.url,
      query: this.query,
      api: this.api,
      tenant: this.tenant,
      profileId: this.profileId,
      clock: this.clock,
    } = parts);
  }

  /** Runs `act` in one transaction, as management does. */
  transact<R>(act: (query: Query) => Promise<R>): Promise<R> {
    return transaction(this.#parts.database.pool, act);
  }

  async device(): Promise<TestDevice> {
    this.#count += 1;
    const draft = { name: `Device ${this.#count}`, deviceProfileId: this.profileId };
    return this.transact((query) => createDevice(query, this.tenant.actor, draft, new Date()));
  }

  async package(version: string, its: Partial<PackageInput> & { bytes?: Buffer } = {}): Promise<TestPackage> {
    const { bytes = Buffer.from(`the bytes of ${version}`), ...input } = its;
    const file = input.url == null ? { name: `fw-${version}.bin`, contentType: 'application/x-firmware' } : null;
    const named = { title: 'fw', version, type: 'FIRMWARE' as const, deviceProfileId: this.profileId };
    const draft = draftPackage({ ...named, file, ...input });
    await using received =
      draft.url === null ? await receivePackageBytes(this.#parts.store, draft, Readable.from([bytes]), 1e9) : null;
    const { id } = await this.transact((query) => createPackage(query, this.tenant.actor, draft, received, new Date()));
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { id, type: draft.type, title: draft.title, version: draft.version, bytes, sha256 };
  }

  /** Assigned, and queued for every device that it concerns; nobody is told. */
  async assign({ id }: TestPackage, subject: Subject = { deviceProfileId: this.profileId }): Promise<void> {
    await this.transact((query) => assign(query, this.tenant.actor, id, subject, new Date()));
    await this.#walk();
  }

  async unassign(type: PackageType, subject: Subject = { deviceProfileId: this.profileId }): Promise<void> {
    await this.transact((query) => unassign(query, this.tenant.actor, type, subject, new Date()));
    await this.#walk();
  }

  /** Open connections. */
  connections(): Promise<number> {
    return promisify(this.#parts.listener.getConnections.bind(this.#parts.listener))();
  }

  /** Everybody who is queued is told. */
  async tell(): Promise<void> {
    const isQueued = async (): Promise<boolean> =>
      (await this.query(`SELECT 1 AS found FROM slot WHERE state = 'QUEUED' LIMIT 1`, [])).length > 0;
    while (await isQueued()) await this.transact((query) => tell(query, this.tenant.id, NO_PACE, Date.now()));
  }

  async situation({ id }: TestDevice, type: PackageType = 'FIRMWARE'): Promise<Situation> {
    const [situation] = await readSlots(this.query, [{ deviceId: id, type }]);
    if (situation === undefined) throw new Error(`device ${id} has no slot`);
    return situation;
  }

  /** The states through which a device's updates went, in the order of the log, with the result of those that ended. */
  async history({ id }: TestDevice, type: PackageType = 'FIRMWARE'): Promise<string[]> {
    const rows = await this.query<{ entry: string }>(
      `SELECT concat_ws(' ', p.version, e.state::text, e.result::text) AS entry
       FROM update_event e JOIN ota_package p ON p.id = e.package_id
       WHERE e.device_id = $1::uuid AND e.type = $2::package_type ORDER BY e.seq`,
      [id, type],
    );
    return rows.map(({ entry }) => entry);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stop[Symbol.asyncDispose]();
  }

  async #walk(): Promise<void> {
    while (await this.transact((query) => walkSlice(query, 1_000, new Date())));
  }
}

interface Parts {
  readonly database: Database;
  readonly store: Awaited<ReturnType<typeof openDiskPackageStore>>;
  readonly listener: Server;
  readonly query: Query;
  readonly api: DeviceApi;
  readonly clock: Clock;
  readonly url: string;
  readonly tenant: Tenant;
  readonly profileId: string;
}
