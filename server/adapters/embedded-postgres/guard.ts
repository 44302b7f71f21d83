/**
 * The guard: the one connection whose session lock makes us the Aloft that looks after a directory, and whose loss
 * tells that PostgreSQL died.
 */
import type { Client } from 'pg';
import { StartError } from '../../config.ts';
import { codeOf, messageOf } from '../fault.ts';
import { isPassing } from '../passing-error.ts';
import { stopPostmaster } from './postmaster.ts';
import { type Cluster, reach } from './reach.ts';

export const DATABASE = 'aloft';
/** Key of the lock, in the maintenance database: "Alof". */
const LOCK = 0x41_6c_6f_66;
const LOCK_NOT_AVAILABLE = '55P03';

/** Another Aloft looks after the directory. */
export class DirectoryTakenError extends StartError {}

/** Throws StartError, and AbortError on `signal`. */
export async function takeGuard(cluster: Cluster, signal: AbortSignal): Promise<Client> {
  const { place, binaries, limits } = cluster;
  const deadline = performance.now() + limits.embeddedStartMs;
  for (;;) {
    const client = await reach(cluster, deadline, signal);
    try {
      await lock(client, cluster);
      await makeDatabase(client);
      return client;
    } catch (error) {
      void client.end().catch(() => undefined);
      if (error instanceof DirectoryTakenError) throw error;
      if (isPassing(error) && performance.now() < deadline) continue;
      await stopPostmaster(binaries, place, limits.embeddedStopMs);
      throw new StartError(
        `The embedded database in ${place.cluster} (DATA_DIR) cannot be used: ${messageOf(error)}. Mend that, or set DATABASE_URL.`,
      );
    }
  }
}

async function lock(client: Client, { place, limits }: Cluster): Promise<void> {
  await client.query(`SELECT set_config('lock_timeout', $1, false)`, [String(limits.embeddedLockWaitMs)]);
  try {
    await client.query('SELECT pg_advisory_lock($1)', [LOCK]);
  } catch (error) {
    if (codeOf(error) !== LOCK_NOT_AVAILABLE) throw error;
    throw new DirectoryTakenError(
      `Another Aloft uses the database in ${place.cluster} (DATA_DIR); stop it, or set DATA_DIR to another directory, or give both one DATABASE_URL.`,
    );
  }
}

async function makeDatabase(client: Client): Promise<void> {
  const { rowCount } = await client.query('SELECT FROM pg_database WHERE datname = $1', [DATABASE]);
  if (rowCount === 0) await client.query(`CREATE DATABASE ${DATABASE}`);
}
