/** Makes PostgreSQL's own directory, whole or not at all: it gets its name only when it is complete. */
import { mkdtemp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { StartError } from '../../config.ts';
import { codeOf } from '../fault.ts';
import type { Binaries } from './binaries.ts';
import { giveTo, type Place, syncDirectory } from './place.ts';
import { type Ended, reason, run } from './program.ts';

export const SUPERUSER = 'aloft';
/** The major version of the embedded binaries: a cluster belongs to one. */
const MAJOR = '18';
export const FRESH_PREFIX = 'postgres.new-';

/**
 * Order and case come from PostgreSQL's own C.UTF-8, the same on every system and in every version of its libraries;
 * trigrams take their letters from the system's character type, which with plain C knows ASCII alone. Not every system
 * has each.
 */
const CHARACTER_TYPES = ['C.UTF-8', 'en_US.UTF-8', 'C'];

export async function makeCluster(place: Place, { initdb }: Binaries): Promise<void> {
  const version = await clusterVersion(place.cluster);
  if (version === MAJOR) return;
  if (version !== undefined) {
    throw new StartError(
      `${place.cluster} in DATA_DIR is of PostgreSQL ${version}, and this Aloft brings ${MAJOR}; dump it with the Aloft that made it and restore it into an empty DATA_DIR.`,
    );
  }
  const fresh = await mkdtemp(join(place.base, FRESH_PREFIX));
  try {
    await giveTo(place.account, fresh);
    await initialise(fresh);
    await rename(fresh, place.cluster);
    await syncDirectory(place.base);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    // Another Aloft that began at the same time was faster; which of the two goes on is decided by the lock.
    if ((await clusterVersion(place.cluster)) === undefined) throw error;
  }

  async function initialise(directory: string): Promise<void> {
    let ended: Ended | undefined;
    for (const characterType of CHARACTER_TYPES) {
      ended = await run(
        initdb,
        [
          `--pgdata=${directory}`,
          `--username=${SUPERUSER}`,
          '--data-checksums',
          // The socket's directory is open to its owner and to root alone, and there is no other way in.
          '--auth-local=trust',
          '--auth-host=reject',
          '--encoding=UTF8',
          '--locale=C',
          `--lc-ctype=${characterType}`,
          '--locale-provider=builtin',
          '--builtin-locale=C.UTF-8',
        ],
        place.account,
      );
      if (ended.code === 0) return;
      if (!ended.said.includes('invalid locale name')) break;
    }
    throw new StartError(
      `The embedded database cannot be made in DATA_DIR (${place.base}): ${reason(ended?.said ?? '')}. Mend that, or set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

/** The major version of a complete cluster; undefined where there is none. */
async function clusterVersion(cluster: string): Promise<string | undefined> {
  const text = await readFile(join(cluster, 'PG_VERSION'), 'utf8').catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error;
  });
  return text?.trim();
}
