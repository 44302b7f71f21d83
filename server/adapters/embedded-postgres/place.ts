/**
 * Where the embedded database lies: in DATA_DIR, or, where PostgreSQL's account cannot enter it, in a directory with a
 * random name that a file in DATA_DIR records. Never one derived from the path: a deleted DATA_DIR must not find an old
 * database.
 */
import { chmod, chown, mkdir, mkdtemp, open, readFile, readdir, realpath, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Logger } from 'pino';
import { StartError } from '../../config.ts';
import { codeOf } from '../fault.ts';
import { type Account, closedTo, unprivilegedAccount } from './account.ts';

export interface Place {
  /** Directory of ours around the cluster, which the account can enter. */
  readonly base: string;
  /** PostgreSQL's own directory; may not exist yet. */
  readonly cluster: string;
  /** Nobody to change to where we are not root. */
  readonly account: Account | undefined;
}

/** Everybody may pass through to what is theirs, nobody may look around. */
const PASSAGE = 0o711;
const CLUSTER = 'postgres';
const RECORD = 'postgres-place';
/** What survives a restart of the machine, best first. */
const ELSEWHERE = ['/var/lib', '/srv', '/opt', '/var/tmp'];

export async function findPlace(dataDir: string, log: Logger): Promise<Place> {
  await makeDataDir(dataDir);
  const root = process.getuid?.() === 0;
  const inside = await realpath(dataDir);
  const base = (await recorded(dataDir)) ?? inside;
  const cluster = join(base, CLUSTER);
  const owner = await stat(cluster).catch(() => undefined);
  if (owner && (owner.uid === 0 || (!root && owner.uid !== process.getuid?.()))) {
    throw new StartError(
      `DATA_DIR=${dataDir} has its database in ${cluster}, which belongs to user ${owner.uid}: PostgreSQL runs as its owner, never as root. ` +
        (root
          ? `Give it to an account (chown -R postgres ${cluster}).`
          : 'Start Aloft as before, or give it to the user that starts Aloft.'),
    );
  }
  if (!root) return { base, cluster, account: undefined };

  const account = owner ? { name: String(owner.uid), uid: owner.uid, gid: owner.gid } : await unprivilegedAccount();
  const closed = await closedTo(account, base);
  if (closed === undefined) return { base, cluster, account };
  if (owner) {
    throw new StartError(
      `DATA_DIR=${dataDir} has its database in ${cluster}, and its owner (user ${owner.uid}) may no longer enter ${closed}; allow it (chmod o+x ${closed}).`,
    );
  }
  const other = await makeElsewhere(account, dataDir);
  await record(dataDir, other);
  log.warn(
    `The database lies in ${other}: user ${account.name}, whom PostgreSQL runs as, may not enter ${closed} (recorded in ${join(dataDir, RECORD)})`,
  );
  return { base: other, cluster: join(other, CLUSTER), account };
}

/**
 * A new or empty directory becomes ours; one that holds other things keeps its mode, but lets PostgreSQL's account
 * pass.
 */
async function makeDataDir(dataDir: string): Promise<void> {
  await mkdir(dataDir, { recursive: true });
  const { mode, uid } = await stat(dataDir);
  const us = process.getuid?.();
  if (uid !== us) return;
  const isEmpty = (await readdir(dataDir)).length === 0;
  if (isEmpty) await chmod(dataDir, PASSAGE);
  else if (us === 0) await chmod(dataDir, (mode & 0o7777) | 0o111);
}

async function recorded(dataDir: string): Promise<string | undefined> {
  const path = (await readFile(join(dataDir, RECORD), 'utf8').catch(absent))?.trim();
  if (path === undefined) return undefined;
  if (await stat(path).catch(absent)) return path;
  throw new StartError(
    `DATA_DIR=${dataDir} records that its database lies in ${path}, which is gone; bring it back, or remove ${join(dataDir, RECORD)} to begin with an empty one.`,
  );
}

async function makeElsewhere(account: Account, dataDir: string): Promise<string> {
  for (const parent of ELSEWHERE) {
    try {
      if ((await closedTo(account, parent)) !== undefined) continue;
      const made = await mkdtemp(join(parent, 'aloft-'));
      await chmod(made, PASSAGE);
      return made;
    } catch {
      // Absent or read-only: the next one.
    }
  }
  throw new StartError(
    `DATA_DIR=${dataDir} cannot be entered by user ${account.name}, whom PostgreSQL runs as, nor is there room in ${ELSEWHERE.join(', ')}; set DATA_DIR to a directory that every user may enter, or set DATABASE_URL.`,
  );
}

/** Whole or not at all, also if the machine stops: what is recorded is where the data is. */
async function record(dataDir: string, place: string): Promise<void> {
  const path = join(dataDir, RECORD);
  const file = await open(`${path}.new`, 'w', 0o600);
  await file.writeFile(`${place}\n`);
  await file.sync();
  await file.close();
  await rename(`${path}.new`, path);
  await syncDirectory(dataDir);
}

/** Makes a rename in `path` survive a loss of power. */
export async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  await directory.sync();
  await directory.close();
}

/** Gives `path` to the account, if there is one to give it to. */
export async function giveTo(account: Account | undefined, path: string): Promise<void> {
  if (account) await chown(path, account.uid, account.gid);
}

function absent(error: unknown): undefined {
  if (codeOf(error) !== 'ENOENT') throw error;
}
