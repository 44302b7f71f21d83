/**
 * Our own PostgreSQL below DATA_DIR. It is a process apart and outlives our sudden death; what we hold of it is one
 * connection, the guard, with a session lock that says "an Aloft looks after this directory". Its story:
 *
 *   a postmaster answers → adopt it · none does → start one · another still lives or dies there → look again
 *   → take the lock (wait a little, then refuse: another Aloft has it) → make the database if it is not there → serve
 *   the guard is lost → PostgreSQL has died: from the beginning, until it is back
 *   we end → PostgreSQL ends too
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Client } from 'pg';
import type { Logger } from 'pino';
import { type Limits, StartError } from '../../config.ts';
import { messageOf } from '../fault.ts';
import { COPY_PREFIX, usableBinaries } from './binaries.ts';
import { FRESH_PREFIX, makeCluster, SUPERUSER } from './cluster.ts';
import { DATABASE, DirectoryTakenError, takeGuard } from './guard.ts';
import { findPlace } from './place.ts';
import { readPidFile, stopPostmaster } from './postmaster.ts';
import type { Cluster } from './reach.ts';
import { removeSocketDirectory, socketDirectory } from './socket.ts';

export interface EmbeddedPostgres extends AsyncDisposable {
  /** PostgreSQL's own: below DATA_DIR, or where its account can enter. */
  readonly cluster: string;
  /** Stays the same while PostgreSQL is started again. */
  readonly connection: {
    readonly host: string;
    readonly port: number;
    readonly user: string;
    readonly database: string;
  };
}

/** Older than this it is no other start's work in progress. */
const LEFT_BEHIND_MS = 3_600_000;

/** Throws StartError, one line for people. `settings` are PostgreSQL's, by name, over our own. */
export async function startEmbeddedPostgres(
  dataDir: string,
  limits: Limits,
  log: Logger,
  settings: Readonly<Record<string, string>> = {},
): Promise<EmbeddedPostgres> {
  const cluster = await findCluster(dataDir, settings, limits, log);
  const { place, binaries } = cluster;
  const ending = new AbortController();
  let taken = false;
  let regained = Promise.resolve();
  let guard: Client | undefined;
  try {
    guard = await takeGuard(cluster, ending.signal);
  } catch (error) {
    await removeSocketDirectory(cluster.socketDir, place);
    throw error;
  }
  const { host, port } = guard;
  watch(guard);
  // PostgreSQL that was asked from outside to end refuses new connections and waits for the old ones, that is, for us.
  const look = setInterval(() => void endIfStopping(), limits.embeddedRestartMs).unref();
  return {
    cluster: place.cluster,
    connection: { host, port, user: SUPERUSER, database: DATABASE },
    async [Symbol.asyncDispose]() {
      clearInterval(look);
      ending.abort();
      await regained;
      // The lock is held to the end, so that whoever waits for it finds PostgreSQL ended and not ending.
      if (!taken) await stop();
      await guard?.end().catch(() => undefined);
      await removeSocketDirectory(host, place);
    },
  };

  function watch(client: Client): void {
    client.once('end', () => {
      if (!ending.signal.aborted) regained = regain();
    });
  }

  async function regain(): Promise<void> {
    guard = undefined;
    log.warn('The embedded PostgreSQL has ended; it is started again');
    while (!ending.signal.aborted) {
      try {
        guard = await takeGuard(cluster, ending.signal);
        taken = false;
        watch(guard);
        log.warn('The embedded PostgreSQL is back');
        return;
      } catch (error) {
        if (ending.signal.aborted) return;
        taken = error instanceof DirectoryTakenError;
        log.error(messageOf(error));
        await delay(limits.embeddedRestartMs, undefined, { signal: ending.signal }).catch(() => undefined);
      }
    }
  }

  async function endIfStopping(): Promise<void> {
    const found = await readPidFile(place.cluster);
    if (found?.status === 'stopping' && guard && !ending.signal.aborted) await stop();
  }

  async function stop(): Promise<void> {
    try {
      await stopPostmaster(binaries, place, limits.embeddedStopMs);
    } catch (error) {
      // Its programs have gone from under it. The next start adopts it.
      log.error(`The embedded PostgreSQL could not be ended: ${messageOf(error)}`);
    }
  }
}

/** The cluster, made if it does not exist. Throws StartError. */
async function findCluster(
  dataDir: string,
  settings: Cluster['settings'],
  limits: Limits,
  log: Logger,
): Promise<Cluster> {
  try {
    const place = await findPlace(dataDir, log);
    const binaries = await usableBinaries(place);
    await makeCluster(place, binaries);
    const former = await readPidFile(place.cluster);
    if (former === undefined) await removeLeftBehind(place.base, binaries.root);
    const socketDir = await socketDirectory(place, former?.socketDir);
    return { place, binaries, socketDir, settings, limits, log };
  } catch (error) {
    if (error instanceof StartError) throw error;
    throw new StartError(
      `DATA_DIR=${dataDir} cannot hold the database: ${messageOf(error)}; make it writable for the user that starts Aloft, or set DATA_DIR to another directory.`,
    );
  }
}

/** Copies of former versions, and what a start that was killed had not finished. */
async function removeLeftBehind(base: string, inUse: string): Promise<void> {
  for (const name of await readdir(base)) {
    if (!name.startsWith(FRESH_PREFIX) && !name.startsWith(COPY_PREFIX)) continue;
    const path = join(base, name);
    const { mtimeMs } = await stat(path);
    if (name === basename(inUse) || mtimeMs > Date.now() - LEFT_BEHIND_MS) continue;
    await rm(path, { recursive: true, force: true });
  }
}
