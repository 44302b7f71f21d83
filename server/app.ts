/** The one place where the parts are joined. What is made here is given back in reverse when the app is disposed. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { clientFiles } from './adapters/client-files.ts';
import { DatabaseClock } from './adapters/clock.ts';
import { openDatabase, queryOn, transaction } from './adapters/database.ts';
import type { Database } from './adapters/database.ts';
import { Disposers } from './adapters/disposers.ts';
import { DatabaseEventLog } from './adapters/event-log.ts';
import { messageOf } from './adapters/fault.ts';
import { GroupCommit } from './adapters/group-commit.ts';
import { HttpBytes } from './adapters/http-bytes/http-bytes.ts';
import { HttpListener } from './adapters/http-listener.ts';
import { openDiskPackageStore } from './adapters/package-store/disk.ts';
import type { DiskPackageStore } from './adapters/package-store/disk.ts';
import { orUnavailable } from './adapters/passing-error.ts';
import { ArgonPasswords } from './adapters/password.ts';
import { retriedTransaction } from './adapters/retried-transaction.ts';
import { StartError } from './config.ts';
import type { Config } from './config.ts';
import { DeviceApi } from './devices/device-api.ts';
import { deviceRoutes } from './devices/http.ts';
import { sweepPackageBytes } from './domain/package-bytes.ts';
import type { Clock, EventLog, Passwords } from './domain/ports.ts';
import type { Query, Transaction } from './domain/query.ts';
import { ensureFirstAdmin } from './domain/user.ts';
import { createGraphql } from './graphql/serve.ts';
import type { Graphql } from './graphql/serve.ts';
import { startEnqueuer } from './loops/enqueuer.ts';
import type { Loop } from './loops/loop.ts';
import { startNotifier } from './loops/notifier.ts';
import { startSweeper } from './loops/sweeper.ts';

export interface App extends AsyncDisposable {
  /** Where the dashboard is. */
  readonly url: string;
  /** The password that was made up for the first administrator, on the first start only. */
  readonly firstPassword: string | undefined;
  /** Where uploads lie until they are whole. */
  readonly incomingDirectory: string;
}

/** @throws SettingError, StartError: one line for people */
export async function createApp(config: Config, logger: Logger): Promise<App> {
  const parts = new Disposers(logger);
  try {
    return await joinParts(config, logger, parts);
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

/** What every edge and loop is made from. */
interface Core {
  readonly config: Config;
  readonly logger: Logger;
  readonly database: Database;
  readonly clock: Clock;
  readonly eventLog: EventLog;
  readonly store: DiskPackageStore;
  readonly passwords: Passwords;
  /** Single statements. */
  readonly query: Query;
  /** Acts of people. */
  readonly manage: Transaction;
  /** What changes updates in numbers. */
  readonly write: Transaction;
}

async function joinParts(config: Config, logger: Logger, parts: Disposers): Promise<App> {
  const core = await openCore(config, logger, parts);
  const firstPassword = await makeFirstAdmin(core);

  const devices = parts.use('device API', openDeviceApi(core));
  const bytes = new HttpBytes(config.limits);
  const graphql = openGraphql(core, bytes);
  const answer = routes(core, deviceRoutes(devices, bytes, config.limits, logger), graphql);
  const listener = parts.use('listener', await HttpListener.open(config, answer, config.limits));
  parts.use('sockets', graphql.attach(listener.server));
  parts.use('long polls', { [Symbol.dispose]: () => devices.endLongPolls() });
  startLoops(core, parts);
  return {
    url: listener.url,
    firstPassword,
    incomingDirectory: core.store.incomingDirectory,
    [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose](),
  };
}

async function openCore(config: Config, logger: Logger, parts: Disposers): Promise<Core> {
  const { limits } = config;
  const database = parts.use('database', await openDatabase(config, logger));
  const clock = parts.use('clock', await DatabaseClock.open(database, logger));
  const eventLog = parts.use('log', await DatabaseEventLog.open(database, limits, logger));
  const store = parts.use('package store', await openStore(config));
  // With the embedded database the directory is ours alone; with a server's, others may be uploading into it.
  await store.sweepIncoming(config.databaseUrl === undefined ? 0 : limits.uploadLeftoverMs);
  return {
    config,
    logger,
    database,
    clock,
    eventLog,
    store,
    passwords: new ArgonPasswords(limits),
    query: orUnavailable(queryOn(database.pool)),
    manage: retriedTransaction(database.pool),
    write: (act) => transaction(database.writers, act),
  };
}

async function openStore({ dataDir, limits }: Config): Promise<DiskPackageStore> {
  try {
    return await openDiskPackageStore(join(dataDir, 'packages'), limits);
  } catch (error) {
    throw new StartError(
      `DATA_DIR=${dataDir} cannot hold the packages: ${messageOf(error)}; make it writable for the user that starts Aloft, or set DATA_DIR to another directory.`,
    );
  }
}

/** @returns the password, where it had to be made up */
async function makeFirstAdmin({ config, clock, passwords, query, manage }: Core): Promise<string | undefined> {
  const users = await query('SELECT 1 AS found FROM "user" LIMIT 1', []);
  if (users.length > 0) return undefined;
  const password = config.admin.password ?? randomBytes(12).toString('base64url');
  const passwordHash = await passwords.hash(password);
  const isMade = await manage((one) =>
    ensureFirstAdmin(one, { email: config.admin.email, passwordHash }, new Date(clock.now())),
  );
  return isMade && config.admin.password === undefined ? password : undefined;
}

function openDeviceApi({ query, write, eventLog, store, clock, config: { limits }, logger }: Core): DeviceApi {
  return new DeviceApi({
    query,
    transaction: write,
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
    log: eventLog,
    store,
    clock,
    limits,
    logger,
  });
}

function openGraphql(core: Core, bytes: HttpBytes): Graphql {
  const { config, logger, database, clock, eventLog, store, passwords, query, manage } = core;
  return createGraphql(
    {
      prisma: database.prisma,
      query,
      transaction: manage,
      eventLog,
      passwords,
      packageStore: store,
      packageBytesMax: config.packageBytesMax,
      clock,
      limits: config.limits,
      logger,
    },
    (request, response, file) => bytes.answer(request, response, file),
  );
}

type Answer = (request: IncomingMessage, response: ServerResponse) => void;

function routes(
  { query, logger }: Core,
  answerDevice: (request: IncomingMessage, response: ServerResponse) => boolean,
  graphql: Graphql,
): Answer {
  const answerClient = clientFiles();
  return (request, response) => {
    if (answerDevice(request, response) || graphql.download(request, response)) return;
    const [path] = (request.url ?? '').split('?', 1);
    if (path === '/graphql') void graphql.handle(request, response);
    else if (path === '/health') void answerHealth(query, response, logger);
    else answerClient(request, response);
  };
}

async function answerHealth(query: Query, response: ServerResponse, logger: Logger): Promise<void> {
  const isWell = await query('SELECT 1 AS alive', []).then(
    () => true,
    (error: unknown) => {
      logger.warn({ err: error }, 'not healthy: the database does not answer');
      return false;
    },
  );
  response.writeHead(isWell ? 200 : 503, { 'Content-Type': 'application/json', 'Cache-Control': 'no-store' });
  response.end(JSON.stringify({ status: isWell ? 'ok' : 'unavailable' }));
}

function startLoops(core: Core, parts: Disposers): void {
  const { config, clock, logger, write, manage, store, eventLog } = core;
  const services = { clock, logger, transaction: write, limits: config.limits };
  const enqueuer = parts.use('enqueuer', startEnqueuer(services));
  const notifier = parts.use('notifier', startNotifier(services, config.pace));
  const sweepBytes = async (): Promise<void> => {
    await store.sweepIncoming(config.limits.uploadLeftoverMs);
    await sweepPackageBytes(manage, store);
  };
  parts.use('sweeper', startSweeper({ ...services, sweepBytes }));
  parts.use('wake-up', wakeByLog(eventLog, enqueuer, notifier));
}

function wakeByLog(eventLog: EventLog, enqueuer: Loop, notifier: Loop): Disposable {
  const stop = eventLog.listen(({ events, changes }) => {
    if (changes.some(({ type }) => type === 'ASSIGNMENT')) enqueuer.wake();
    if (events.some(({ state }) => state === 'QUEUED')) notifier.wake();
  });
  return { [Symbol.dispose]: stop };
}
