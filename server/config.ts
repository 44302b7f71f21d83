/** Typed settings. The only reader of process.env; every limit has a name with its unit. */
import { resolve } from 'node:path';
import type { Pace } from './domain/pacing.ts';

/** A setting that does not parse: ends the start with one line that names the variable, the value and what to do. */
export class SettingError extends Error {}

/** A setting that parses but cannot be had (a port taken, a database unreachable): ends the start the same way. */
export class StartError extends Error {}

export interface Config {
  readonly host: string;
  /** 0 lets the system choose. */
  readonly port: number;
  readonly dataDir: string;
  readonly databaseUrl: string | undefined;
  readonly admin: { readonly email: string; readonly password: string | undefined };
  readonly pace: Pace;
  readonly packageBytesMax: number;
  readonly limits: Limits;
}

export type Limits = Readonly<Record<keyof typeof LIMITS, number>>;

/** What bounds queues, buffers, bodies, waits and caches. Not for the environment: a test overrides single ones. */
export const LIMITS = {
  /** Connections of the general pool; the writers have their own. */
  databaseConnectionsMax: 10,
  writerConnectionsMax: 3,
  writerStatementTimeoutMs: 10_000,
  writerIdleInTransactionTimeoutMs: 5_000,
  managementTransactionTimeoutMs: 10_000,
  /** Waiting for a connection, be it a new one or one of the pool's. */
  databaseWaitMs: 10_000,
  /** Statements that are kept prepared, in each connection. */
  preparedStatementsMax: 256,
  /** At the end, waiting for connections that are still in use. */
  databaseEndMs: 1_000,
  /** Waiting for another process that applies the migrations. */
  migrationWaitMs: 120_000,

  /** The embedded PostgreSQL: from its start to its first answer; recovering after a crash is part of it. */
  embeddedStartMs: 120_000,
  /** Between two looks at a PostgreSQL that is starting or ending and is not our child. */
  embeddedLookMs: 50,
  /** Between two attempts to bring back a PostgreSQL that cannot be started. */
  embeddedRestartMs: 1_000,
  /** Another Aloft on the same directory may still be ending. */
  embeddedLockWaitMs: 5_000,
  /** A clean end; beyond it PostgreSQL is ended at once and recovers at the next start. */
  embeddedStopMs: 2_000,

  /** JSON that a device posts. */
  deviceBodyBytesMax: 65_536,
  /** Client attributes that are kept for one device, as JSON text. */
  clientAttributesBytesMax: 65_536,
  /** Steps (values with one ts) in one device message. */
  deviceMessageStepsMax: 1_000,
  /** Words of a device that are kept with an update, in characters. */
  deviceErrorCharactersMax: 1_024,
  /** A device that sends its body slower, or does not read what it asked for during this long, is not served further. */
  deviceBodyTimeoutMs: 10_000,
  downloadStallMs: 30_000,
  /** A chunk up to this size is one buffer; a longer one is streamed. */
  chunkBufferBytesMax: 262_144,
  /** Each holds an open file. */
  downloadStreamsMax: 1_000,
  longPollDefaultMs: 60_000,
  longPollMaxMs: 300_000,
  longPollsMax: 50_000,
  longPollsPerDeviceMax: 4,
  /** An offer that was delivered is repeated after this long while the update is still INITIATED. */
  offerRepeatMs: 300_000,

  /** Reports are gathered this long, or until the batch is full, and committed together. */
  reportGatherMs: 4,
  reportBatchMax: 200,
  /** Reports waiting for their batch; beyond it a device is asked to come again. */
  reportQueueMax: 20_000,
  reportQueueOfDeviceMax: 64,
  /** Batches that are committed at the same time; a connection of the writers is left for the loops. */
  reportBatchesInFlightMax: 2,
  /** A batch that fails for a passing reason is tried again, after a pause that doubles: 6.3 s in all. */
  reportRetriesMax: 6,
  reportRetryAfterMs: 100,

  /** Slots that the enqueuer reconciles in one transaction. */
  walkSliceMax: 1_000,
  /** The longest that a loop sleeps without looking. */
  loopIdleMs: 1_000,

  /** Bytes served and deliveries wait at most this long in memory. */
  flushIntervalMs: 1_000,
  /** A device's last sign of life is written at most this often. */
  seenQuantumMs: 300_000,
  /** Credentials and effective packages are believed at most this long without asking the database. */
  cacheAgeMaxMs: 1_000,
  cacheEntriesMax: 100_000,
  /** Lookups of one moment that go to the database as one statement. */
  readTogetherMax: 500,
  /** Separate pieces of one package that are remembered as served to one device. */
  servedRangesMax: 256,

  /** Events of the log that a process keeps in memory for its subscribers. */
  logWindowMax: 20_000,
  /** A look into the log even if no notification came. */
  logIdleLookMs: 1_000,
  logReadMax: 1_000,
  subscriptionBatchMs: 100,
  subscriptionBatchMax: 500,
  fleetSummaryIntervalMs: 100,
  /** A subscriber whose filter lets nothing through is given a newer cursor this often, so that it does not expire. */
  cursorRefreshMs: 10_000,
  /** Bytes that a subscriber may leave unread before it is ended with SLOW_CONSUMER. */
  subscriberUnreadBytesMax: 4_194_304,
  subscriptionsPerSocketMax: 100,
  /** From the opening of a WebSocket to its connection_init. */
  socketInitMs: 3_000,
  /** A WebSocket that does not answer a ping within this is ended. */
  socketPingMs: 12_000,
  /** Closing WebSockets are given this long to say goodbye. */
  socketCloseMs: 1_000,
  /** Open WebSockets of a process. */
  socketsMax: 10_000,

  pageSizeDefault: 50,
  pageSizeMax: 200,
  /** Beyond it `totalCount` is exact only where a counter knows it. */
  totalCountMax: 10_000,

  graphqlBodyBytesMax: 1_048_576,
  graphqlDepthMax: 12,
  graphqlAliasesMax: 30,
  graphqlTokensMax: 2_000,
  graphqlCostMax: 40_000,
  /** Documents that are kept parsed, and the longest of them in characters. */
  graphqlDocumentsKept: 500,
  graphqlDocumentCharactersKept: 16_384,
  /** Events of one update that are shown with it: the newest. */
  updateEventsShownMax: 200,
  /** What still arrives of a refused request is read for so long, that its sender may read why. */
  refusedBodyMs: 5_000,
  /** Multipart around the file: the documents, the map and the boundaries. */
  uploadEnvelopeBytesMax: 65_536,

  /** Uploads that the package store takes in at once. */
  uploadsMax: 16,
  /** An upload of which no byte came for this long is given up. */
  uploadIdleMs: 60_000,
  /** An upload's file that nobody touched for this long is the leftover of a process that died; well above uploadIdleMs. */
  uploadLeftoverMs: 600_000,
  /** Files of packages that stay open between the chunks that devices fetch, and for how long after the last one. */
  packageFilesOpenMax: 64,
  packageFileIdleMs: 30_000,

  /** Wrong passwords before an account, or an address, has to wait; then the wait doubles with each. */
  signInFailuresFree: 5,
  signInAddressFailuresFree: 50,
  signInWaitMaxMs: 60_000,
  signInForgetMs: 3_600_000,
  signInKeysMax: 10_000,
  /** Passwords that are hashed at once, 19 MiB each, and those that wait for it. */
  passwordHashesMax: 2,
  passwordHashQueueMax: 100,
  sessionLifetimeMs: 30 * 24 * 3_600_000,
  passwordCharactersMin: 8,
  passwordCharactersMax: 256,

  headerTimeoutMs: 10_000,
  /** SIGTERM: what is being answered may finish within this; the sockets and the database then take up to 4 s more, of 10 in all. */
  drainMs: 5_000,
} as const satisfies Record<string, number>;

const PACKAGE_BYTES_DEFAULT = 2 ** 31;

export function readConfig(env: NodeJS.ProcessEnv): Config {
  refuseOtherStores(env);
  return {
    host: text(env, 'HOST') ?? '0.0.0.0',
    port: integer(env, ['PORT'], 8080, 0, 65_535),
    dataDir: resolve(text(env, 'DATA_DIR') ?? './data'),
    databaseUrl: databaseUrl(env),
    admin: { email: email(env), password: text(env, 'ADMIN_PASSWORD') },
    pace: {
      intervalMs: integer(
        env,
        ['TB_QUEUE_CORE_OTA_PACK_INTERVAL_MS', 'TB_QUEUE_CORE_FW_PACK_INTERVAL_MS'],
        60_000,
        1,
        86_400_000,
      ),
      size: integer(env, ['TB_QUEUE_CORE_OTA_PACK_SIZE', 'TB_QUEUE_CORE_FW_PACK_SIZE'], 100, 1, 1_000_000_000),
    },
    packageBytesMax: integer(env, ['OTA_PACKAGE_BYTES_MAX'], PACKAGE_BYTES_DEFAULT, 1, Number.MAX_SAFE_INTEGER),
    limits: LIMITS,
  };
}

/** Libraries that ask the environment where temporary files belong are told from now on. */
export function setTemporaryDirectory(path: string): void {
  process.env['TMPDIR'] = path;
}

/** A variable that is set to nothing counts as unset, as in a compose file with empty defaults. */
function text(env: NodeJS.ProcessEnv, name: string): string | undefined {
  const value = env[name]?.trim();
  return value ? value : undefined;
}

/** The first of `names` that is set. */
function integer(env: NodeJS.ProcessEnv, names: readonly string[], absent: number, min: number, max: number): number {
  for (const name of names) {
    const value = text(env, name);
    if (value === undefined) continue;
    const number = Number(value);
    if (/^\d+$/.test(value) && number >= min && number <= max) return number;
    throw new SettingError(
      `${name}=${value} is not a whole number from ${min} to ${max}; correct it or unset it (default ${absent}).`,
    );
  }
  return absent;
}

/** Packages that were meant for a bucket must not end up on a disk. */
function refuseOtherStores(env: NodeJS.ProcessEnv): void {
  const value = text(env, 'PACKAGE_STORE');
  if (value === undefined) return;
  throw new SettingError(`PACKAGE_STORE=${value} is not possible yet: packages are files below DATA_DIR; unset it.`);
}

function email(env: NodeJS.ProcessEnv): string {
  const value = text(env, 'ADMIN_EMAIL') ?? 'admin@example.com';
  if (/^[^\s@]+@[^\s@]+$/.test(value)) return value.toLowerCase();
  throw new SettingError(
    `ADMIN_EMAIL=${value} is not an e-mail address; correct it or unset it (default admin@example.com).`,
  );
}

function databaseUrl(env: NodeJS.ProcessEnv): string | undefined {
  const value = text(env, 'DATABASE_URL');
  if (value === undefined || /^postgres(ql)?:\/\//.test(value)) return value;
  // The value may hold a password, also where no scheme comes before it, so only a scheme is repeated.
  const [scheme = ''] = /^[a-z][a-z0-9+.-]*:\/\//i.exec(value) ?? [];
  throw new SettingError(
    `DATABASE_URL=${scheme}… is not a postgresql:// URL; correct it, or unset it to use the embedded database.`,
  );
}
