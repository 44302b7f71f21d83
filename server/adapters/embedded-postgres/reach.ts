/**
 * A connection to the cluster: to the postmaster that lives there (adopted, if an earlier Aloft left it), or to one we
 * start.
 */
import { stat } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { Client } from 'pg';
import type { Logger } from 'pino';
import { type Limits, StartError } from '../../config.ts';
import { codeOf, messageOf } from '../fault.ts';
import { isPassing } from '../passing-error.ts';
import type { Binaries } from './binaries.ts';
import { SUPERUSER } from './cluster.ts';
import type { Place } from './place.ts';
import { readPidFile, startPostmaster } from './postmaster.ts';
import { PORT, restoreSocketDirectory } from './socket.ts';

export interface Cluster {
  readonly place: Place;
  readonly binaries: Binaries;
  /** Where a postmaster of ours listens. */
  readonly socketDir: string;
  /** PostgreSQL's settings by name, over our own. */
  readonly settings: Readonly<Record<string, string>>;
  readonly limits: Limits;
  readonly log: Logger;
}

/**
 * Every cluster has it; whoever looks after the cluster waits there, so that our own database can be cloned and
 * dropped.
 */
const MAINTENANCE = 'postgres';
/**
 * What a new postmaster says where another one, or what is left of it, has the directory: that will go, or it will
 * answer.
 */
const OCCUPIED = /lock file|pre-existing shared memory|already in use/;
const NOBODY_THERE = ['ENOENT', 'ECONNREFUSED'];

/**
 * Throws StartError when the time is over (of performance.now) or waiting would not help, and AbortError on `signal`.
 */
export async function reach(cluster: Cluster, deadline: number, signal: AbortSignal): Promise<Client> {
  const { place, limits } = cluster;
  for (;;) {
    signal.throwIfAborted();
    try {
      return await connect(cluster);
    } catch (error) {
      if (error instanceof StartError) throw error;
      // It starts, recovers or ends; it has died or has not been started.
      if (!isPassing(error)) throw unreachable(place, messageOf(error));
      if (performance.now() > deadline) {
        throw unreachable(place, `no answer within ${limits.embeddedStartMs} ms (${messageOf(error)})`);
      }
      if (NOBODY_THERE.includes(codeOf(error) ?? '') && (await start(cluster, deadline, signal))) continue;
    }
    await delay(limits.embeddedLookMs, undefined, { signal });
  }
}

async function connect({ place, socketDir, limits }: Cluster): Promise<Client> {
  const found = await readPidFile(place.cluster);
  const client = new Client({
    host: found?.socketDir ?? socketDir,
    port: found?.port ?? PORT,
    user: SUPERUSER,
    database: MAINTENANCE,
    application_name: 'aloft guard',
    connectionTimeoutMillis: limits.databaseWaitMs,
  });
  // Whoever holds it sees its loss as 'end'; an error without a listener would end the process.
  client.on('error', () => undefined);
  await client.connect();
  try {
    await requireSame(client, place.cluster);
    return client;
  } catch (error) {
    void client.end().catch(() => undefined);
    throw error;
  }
}

/** A copied postmaster.pid leads to the postmaster of the original. */
async function requireSame(client: Client, cluster: string): Promise<void> {
  const { rows } = await client.query<{ path: string }>(`SELECT current_setting('data_directory') AS path`);
  const [theirs, ours] = await Promise.all([stat(rows[0]?.path ?? '').catch(() => undefined), stat(cluster)]);
  if (theirs?.ino === ours.ino && theirs.dev === ours.dev) return;
  throw new StartError(
    `${cluster} in DATA_DIR is a copy, taken while it ran, of a database that still runs elsewhere; stop that Aloft and copy it again.`,
  );
}

/** Whether a new postmaster accepts connections; not, where another one has the directory. */
async function start(cluster: Cluster, deadline: number, signal: AbortSignal): Promise<boolean> {
  const { place, binaries, socketDir, settings, limits, log } = cluster;
  if (socketDir !== place.cluster) await restoreSocketDirectory(socketDir, place);
  const started = startPostmaster(binaries, place, socketDir, settings, limits.embeddedLookMs, log);
  const late = `it recovers for more than ${limits.embeddedStartMs} ms`;
  try {
    const fault = await Promise.race([started, delay(deadline - performance.now(), late, { signal, ref: false })]);
    if (fault === undefined) return true;
    if (OCCUPIED.test(fault)) return false;
    throw unreachable(place, fault);
  } catch (error) {
    // Whoever ends it next finds it by the file that it writes first of all.
    if (signal.aborted) await Promise.race([started, delay(limits.embeddedStopMs, undefined, { ref: false })]);
    throw error;
  }
}

function unreachable(place: Place, why: string): StartError {
  return new StartError(
    `The embedded database in ${place.cluster} (DATA_DIR) does not start: ${why}. Mend that, or set DATABASE_URL to a PostgreSQL server.`,
  );
}
