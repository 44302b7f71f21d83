/** The management API on a real socket, database and store, with what a test needs to set a fleet in motion. */
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import type { Logger } from 'pino';
import { queryOn, transaction } from '../../server/adapters/database.ts';
import { Disposers } from '../../server/adapters/disposers.ts';
import { DatabaseEventLog } from '../../server/adapters/event-log.ts';
import { HttpBytes } from '../../server/adapters/http-bytes/http-bytes.ts';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { ArgonPasswords } from '../../server/adapters/password.ts';
import { retriedTransaction } from '../../server/adapters/retried-transaction.ts';
import { LIMITS } from '../../server/config.ts';
import type { Limits } from '../../server/config.ts';
import type { Clock, EventLog, PackageStore } from '../../server/domain/ports.ts';
import type { Query, Transaction } from '../../server/domain/query.ts';
import { tell } from '../../server/domain/tell.ts';
import { ensureFirstAdmin } from '../../server/domain/user.ts';
import { walkSlice } from '../../server/domain/walk.ts';
import { createGraphql } from '../../server/graphql/serve.ts';
import { testDatabase } from './database.ts';
import { GraphqlClient } from './graphql.ts';

export const ADMIN = { email: 'admin@example.com', password: 'correct horse battery staple' };

/** As fast as devices can be told. */
const NO_PACE = { intervalMs: 1, size: 1_000_000 };

export interface ManagementServer extends AsyncDisposable {
  readonly url: string;
  readonly query: Query;
  readonly transact: Transaction;
  readonly eventLog: EventLog;
  readonly packageStore: PackageStore;
  /** Everything of the server that lies in files. */
  readonly directory: string;
  /** Signed in. */
  readonly admin: GraphqlClient;
  readonly nobody: GraphqlClient;
  /** Carries out what is assigned: every device is queued and told. */
  carryOut(): Promise<void>;
}

export interface Overrides {
  readonly limits?: Partial<Limits>;
  readonly packageBytesMax?: number;
  readonly clock?: Clock;
  readonly logger?: Logger;
}

export async function managementServer(overrides: Overrides = {}): Promise<ManagementServer> {
  const logger = overrides.logger ?? pino({ level: process.env['LOG'] ?? 'silent' });
  const parts = new Disposers(logger);
  try {
    return await openParts(parts, logger, overrides);
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

async function openParts(parts: Disposers, logger: Logger, overrides: Overrides): Promise<ManagementServer> {
  const limits = { ...LIMITS, ...overrides.limits };
  const database = parts.use('database', await testDatabase());
  const query = queryOn(database.pool);
  const directory = await mkdtemp(join(tmpdir(), 'aloft-management-'));
  parts.use('directory', { [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) });
  const packageStore = parts.use('store', await openDiskPackageStore(join(directory, 'packages'), limits));
  const eventLog = parts.use('log', await DatabaseEventLog.open(database, limits, logger));
  const clock = overrides.clock ?? { now: () => Date.now() };
  const passwords = new ArgonPasswords(limits);
  const bytes = new HttpBytes(limits);
  const services = {
    prisma: database.prisma,
    query,
    transaction: retriedTransaction(database.pool),
    eventLog,
    passwords,
    packageStore,
    packageBytesMax: overrides.packageBytesMax ?? 2 ** 31,
    clock,
    limits,
    logger,
  };
  const graphql = createGraphql(services, (request, response, file) => bytes.answer(request, response, file));
  const passwordHash = await passwords.hash(ADMIN.password);
  const transact: Transaction = (work) => transaction(database.pool, work);
  await transact((inTransaction) => ensureFirstAdmin(inTransaction, { email: ADMIN.email, passwordHash }, new Date()));

  const server = createServer((request, response) => {
    if (!graphql.download(request, response)) void graphql.handle(request, response);
  });
  parts.use('listener', {
    [Symbol.dispose]() {
      server.closeAllConnections();
      server.close();
    },
  });
  parts.use('sockets', graphql.attach(server));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const nobody = new GraphqlClient(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  return {
    url: nobody.url,
    query,
    transact,
    eventLog,
    packageStore,
    directory,
    nobody,
    admin: await nobody.login(ADMIN.email, ADMIN.password),
    async carryOut() {
      const now = (): Date => new Date(clock.now());
      while (await transact((inTransaction) => walkSlice(inTransaction, limits.walkSliceMax, now())));
      const queued = (): Promise<{ tenantId: string }[]> =>
        query(`SELECT DISTINCT tenant_id AS "tenantId" FROM slot WHERE state = 'QUEUED'`, []);
      for (let tenants = await queued(); tenants.length > 0; tenants = await queued()) {
        for (const { tenantId } of tenants) await transact((q) => tell(q, tenantId, NO_PACE, clock.now()));
      }
    },
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}
