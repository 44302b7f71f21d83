/**
 * The directory of PostgreSQL's socket: only its account and root may enter it, which is all the protection that the
 * socket has.
 */
import { lstat, mkdir, mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { StartError } from '../../config.ts';
import { type Account, closedTo } from './account.ts';
import { giveTo, type Place } from './place.ts';

export const PORT = 5432;
/** sun_path holds 104 bytes on macOS, 108 on Linux, the closing zero included. */
const SOCKET_PATH_BYTES_MAX = 100;
const PREFIX = 'aloft-';

export function fits(directory: string): boolean {
  return Buffer.byteLength(join(directory, `.s.PGSQL.${PORT}`)) <= SOCKET_PATH_BYTES_MAX;
}

/**
 * The cluster's own directory, or a short one below the temporary one where its path is too long for a socket. `former`
 * is the one that a postmaster of this cluster has named (in a file that others can write): it is kept if it is one
 * that we have made.
 */
export async function socketDirectory({ cluster, account }: Place, former: string | undefined): Promise<string> {
  if (fits(cluster)) return cluster;
  if (former !== undefined && (await isOurs(former, account))) return former;
  for (const parent of temporaryDirectories()) {
    const isClosed = account !== undefined && (await closedTo(account, parent)) !== undefined;
    if (isClosed || !fits(join(parent, `${PREFIX}XXXXXX`))) continue;
    const directory = await mkdtemp(join(parent, PREFIX));
    await giveTo(account, directory);
    return directory;
  }
  throw new StartError(
    `The path of DATA_DIR is too long for a socket (${cluster}), and so is that of TMPDIR; set DATA_DIR to a shorter one.`,
  );
}

/** Makes it again if someone who tidies the temporary directory has removed it. */
export async function restoreSocketDirectory(directory: string, { account }: Place): Promise<void> {
  const made = await mkdir(directory, { recursive: true, mode: 0o700 });
  if (made !== undefined) await giveTo(account, directory);
  // Who has made it meanwhile could put a socket of his own there.
  if (!(await isOurs(directory, account))) throw new StartError(`${directory} belongs to somebody else; remove it.`);
}

/** Removes a short one when PostgreSQL has ended; not while a postmaster has its socket there. */
export async function removeSocketDirectory(directory: string, { account }: Place): Promise<void> {
  if (await isOurs(directory, account)) await rmdir(directory).catch(() => undefined);
}

async function isOurs(directory: string, account: Account | undefined): Promise<boolean> {
  if (!temporaryDirectories().includes(dirname(directory)) || !/^aloft-\w{6}$/.test(basename(directory))) return false;
  const found = await lstat(directory).catch(() => undefined);
  return found?.isDirectory() === true && found.uid === (account?.uid ?? process.getuid?.());
}

function temporaryDirectories(): string[] {
  return [tmpdir(), '/tmp'];
}
