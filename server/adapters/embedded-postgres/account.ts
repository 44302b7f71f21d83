/**
 * Whom PostgreSQL runs as. It refuses to run as root, so root gives it another account and must know what that one can
 * reach.
 */
import { readFile, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { StartError } from '../../config.ts';

export interface Account {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** In this order: an account that exists for the purpose, then the one that every system has. */
const NAMES = ['postgres', 'nobody'];

/** The account that root gives to a new cluster. */
export async function unprivilegedAccount(): Promise<Account> {
  const accounts = parseAccounts(await readFile('/etc/passwd', 'utf8').catch(() => ''));
  for (const name of NAMES) {
    const account = accounts.find((one) => one.name === name);
    if (account) return account;
  }
  throw new StartError(
    'The embedded database does not run as root and /etc/passwd has neither a user postgres nor nobody; start as another user, or set DATABASE_URL.',
  );
}

/** The lines of a passwd file (passwd(5)); what is no account is left out. */
export function parseAccounts(passwd: string): Account[] {
  return passwd.split('\n').flatMap((line) => {
    const [name, , uid, gid] = line.split(':');
    if (!name || !uid || !gid || !/^-?\d+$/.test(uid) || !/^-?\d+$/.test(gid)) return [];
    return [{ name, uid: Number(uid), gid: Number(gid) }];
  });
}

/**
 * The first directory on the way to `path` (itself included, links resolved by the caller) that `account` may not
 * enter. Node gives a child no supplementary groups when it changes the user, so that the mode bits decide.
 */
export async function closedTo(account: Account, path: string): Promise<string | undefined> {
  const parent = dirname(path);
  const above = parent === path ? undefined : await closedTo(account, parent);
  if (above !== undefined) return above;
  const { mode, uid, gid } = await stat(path);
  const execute = uid === account.uid ? 0o100 : gid === account.gid ? 0o010 : 0o001;
  return (mode & execute) === 0 ? path : undefined;
}
