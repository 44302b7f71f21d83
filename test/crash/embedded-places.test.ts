/**
 * The embedded database wherever it may find itself: directories, accounts and installations that are not as one would
 * wish.
 */
import { existsSync } from 'node:fs';
import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { closedTo } from '../../server/adapters/embedded-postgres/account.ts';
import { cloneCheckout, embeddedPackage } from '../support/checkout-clone.ts';
import { ask, CHECKOUT, DatabaseProcess, killLeftOver, postmasterOf, refusal } from '../support/database-in-process.ts';
import { execute } from '../support/execute.ts';

const root = process.getuid?.() === 0;
const NOBODY = 65_534;
/** As where root has cloned the project below its own home directory. */
const isClosedToNobody = root && (await closedTo({ name: 'nobody', uid: NOBODY, gid: NOBODY }, CHECKOUT)) !== undefined;

/** A directory that everybody may enter, and that goes with the tests. */
let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'aloft-crash-'));
  await chmod(base, 0o755);
});
afterAll(async () => {
  await killLeftOver();
  // A PostgreSQL that lives on without its files ends itself within a minute.
  await rm(base, { recursive: true, force: true });
});

describe('a directory that is not as one would wish', () => {
  test('two first starts at once on an empty one: one serves, the other is refused', async () => {
    const env = { DATA_DIR: join(base, 'both') };
    const both = [new DatabaseProcess({ env }), new DatabaseProcess({ env })];
    const outcomes = await Promise.all(
      both.map((aloft) =>
        aloft.told('opened').then(
          () => 'served' as const,
          async () => (await aloft.ended).stderr,
        ),
      ),
    );
    expect(outcomes.toSorted()).toEqual([expect.stringMatching(/^Another Aloft uses/), 'served']);
    await Promise.all(both.map((aloft) => aloft.kill('SIGTERM')));
    const unfinished = (await readdir(join(base, 'both'))).filter((name) => name.includes('.new-'));
    expect(unfinished).toEqual([]);
  });

  test('a relative one with odd letters, copied while it runs: the copy is refused, and the original is not touched', async () => {
    const name = `da,ta "ü" 'x`;
    await using aloft = new DatabaseProcess({ env: { DATA_DIR: `./${name}` }, cwd: base });
    const { host, cluster } = await aloft.told('opened');
    expect(cluster).toBe(join(base, name, 'postgres'));

    const copied = join(base, 'copied');
    await cp(join(base, name), copied, { recursive: true, filter: (path) => !path.includes('.s.PGSQL') });
    if (root) await execute('chown', ['-R', String((await stat(cluster)).uid), join(copied, 'postgres')]);
    expect(await refusal({ DATA_DIR: copied })).toContain('is a copy, taken while it ran');
    expect(await ask(host, 'SELECT 1 AS one')).toEqual([{ one: 1 }]);
  });

  test('one whose path is too long for a socket: a short directory, which an adopting start finds and an end removes', async () => {
    const env = { DATA_DIR: join(base, 'long'.repeat(30)) };
    const killed = new DatabaseProcess({ env });
    const { host: socketDir, cluster } = await killed.told('opened');
    expect(socketDir).toMatch(/^.{1,60}\/aloft-\w{6}$/);
    expect(await mode(socketDir)).toBe(0o700);
    await killed.kill('SIGKILL');

    const aloft = new DatabaseProcess({ env });
    expect((await aloft.told('opened')).host).toBe(socketDir);
    process.kill(await postmasterOf(cluster), 'SIGKILL');
    await aloft.find(({ warned }) => warned?.includes('is back') === true);
    expect((await aloft.kill('SIGTERM')).code).toBe(0);
    expect(existsSync(socketDir)).toBe(false);
  });

  test('one of another major version, or of which the database went away, is refused in one line', async () => {
    const dataDir = join(base, 'versions');
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres', 'PG_VERSION'), '17\n');
    if (root) await chown(join(dataDir, 'postgres'), NOBODY, NOBODY);
    expect(await refusal({ DATA_DIR: dataDir })).toMatch(/is of PostgreSQL 17, and this Aloft brings 18/);

    await rm(join(dataDir, 'postgres'), { recursive: true });
    await writeFile(join(dataDir, 'postgres-place'), `${join(base, 'gone')}\n`);
    expect(await refusal({ DATA_DIR: dataDir })).toMatch(/records that its database lies in .*\/gone, which is gone/);
  });

  test('one that is a file is refused in one line that names it', async () => {
    const file = join(base, 'file');
    await writeFile(file, '');
    expect(await refusal({ DATA_DIR: file })).toMatch(/^DATA_DIR=.*\/file cannot hold the database: EEXIST/);
  });

  test.skipIf(isClosedToNobody)('one that cannot be written is refused in one line that names it', async () => {
    const closed = join(base, 'closed');
    await mkdir(closed, { mode: 0o555 });
    expect(await refusal({ DATA_DIR: join(closed, 'data') }, asNobody())).toMatch(
      /^DATA_DIR=.*\/closed\/data cannot hold the database: EACCES/,
    );
  });
});

describe.runIf(root)('started by root', () => {
  test('below a directory that PostgreSQL may not enter, the data lies elsewhere, under a random name that DATA_DIR records', async () => {
    const closed = join(base, 'closed-to-others');
    await mkdir(closed, { mode: 0o700 });
    const env = { DATA_DIR: join(closed, 'data') };
    const places: string[] = [];
    const marks: unknown[] = [];
    const warnings: string[] = [];
    try {
      for (const round of ['first', 'second', 'after DATA_DIR was deleted']) {
        if (round.startsWith('after')) await rm(env.DATA_DIR, { recursive: true });
        await using aloft = new DatabaseProcess({ env });
        const { host, cluster } = await aloft.told('opened');
        places.push(dirname(cluster));
        expect(await readFile(join(env.DATA_DIR, 'postgres-place'), 'utf8')).toBe(`${dirname(cluster)}\n`);
        expect(await mode(dirname(cluster))).toBe(0o711);
        marks.push(
          ...(await ask<{ mark: unknown }>(host, `SELECT to_regclass('mark') AS mark`)).map(({ mark }) => mark),
        );
        await ask(host, 'CREATE TABLE IF NOT EXISTS mark ()');
        warnings.push(...aloft.lines.flatMap(({ warned }) => warned ?? []));
      }
    } finally {
      for (const place of new Set(places)) await rm(place, { recursive: true, force: true });
    }
    expect(marks).toEqual([null, 'mark', null]);
    expect(places[1]).toBe(places[0]);
    expect(places[2]).not.toBe(places[0]);
    // Said where it is decided, not at every start.
    const said = (place: string | undefined) =>
      expect.stringMatching(`^The database lies in ${place}: .* may not enter ${closed} `);
    expect(warnings).toEqual([said(places[0]), said(places[2])]);
  });

  test('from a checkout that only root may enter, whose install scripts have not run: its programs are copied beside the data, once', async () => {
    const closed = join(base, 'checkout-of-root');
    await mkdir(closed, { mode: 0o700 });
    const checkout = await cloneCheckout(join(closed, 'aloft'));
    const dataDir = join(base, 'beside');
    const copies: number[] = [];
    for (let round = 0; round < 2; round++) {
      await using aloft = new DatabaseProcess({ checkout, env: { DATA_DIR: dataDir } });
      await aloft.told('opened');
      const [cluster, copy, ...others] = (await readdir(dataDir)).toSorted();
      expect([cluster, others]).toEqual(['postgres', []]);
      expect(copy).toMatch(/^postgres-binaries-18[\w.-]+$/);
      copies.push((await stat(join(dataDir, copy ?? ''))).ino);
    }
    expect(copies[1]).toBe(copies[0]);
  });

  test('a database that root owns, and one that the account can no longer reach, are refused in one line', async () => {
    const dataDir = join(base, 'restored');
    await mkdir(join(dataDir, 'postgres'), { recursive: true });
    expect(await refusal({ DATA_DIR: dataDir })).toMatch(
      /belongs to user 0: .* \(chown -R postgres .*\/restored\/postgres\)/,
    );
    await chown(join(dataDir, 'postgres'), NOBODY, NOBODY);
    const within = join(base, 'shut');
    await mkdir(within, { mode: 0o700 });
    await rename(dataDir, join(within, 'restored'));
    expect(await refusal({ DATA_DIR: join(within, 'restored') })).toMatch(
      /may no longer enter .*\/shut; allow it \(chmod o\+x/,
    );
  });

  test('where nothing may be executed, one line names DATABASE_URL', async ({ skip }) => {
    const mounted = join(base, 'noexec');
    await mkdir(mounted);
    const { code } = await execute('mount', ['-t', 'tmpfs', '-o', 'noexec,size=256m', 'none', mounted]);
    if (code !== 0) skip('this system allows no mount');
    try {
      const checkout = await cloneCheckout(join(mounted, 'aloft'));
      const line = await refusal({ DATA_DIR: join(mounted, 'data') }, { checkout });
      expect(line).toMatch(
        /^The embedded PostgreSQL does not run on this system: .* may not be executed .*noexec.* Set DATABASE_URL/,
      );
      expect(await readdir(join(mounted, 'data'))).toEqual([]);
    } finally {
      await execute('umount', [mounted]);
    }
  });
});

describe('an installation that is not as one would wish', () => {
  /** Of another user than root, so that mode bits count. */
  async function dataDirOfNobody(): Promise<string> {
    const dataDir = join(base, 'of-nobody');
    await mkdir(dataDir, { recursive: true });
    if (root) await chown(dataDir, NOBODY, NOBODY);
    return dataDir;
  }

  test.skipIf(isClosedToNobody)('read-only, and without its links: copied beside the data', async () => {
    const checkout = await cloneCheckout(join(base, 'read-only'));
    await chmod(join(embeddedPackage(checkout), 'native', 'lib'), 0o555);
    const dataDir = await dataDirOfNobody();
    await using aloft = new DatabaseProcess({ checkout, env: { DATA_DIR: dataDir }, ...asNobody() });
    await aloft.told('opened');
    expect((await readdir(dataDir)).some((name) => name.startsWith('postgres-binaries-'))).toBe(true);
    await chmod(join(embeddedPackage(checkout), 'native', 'lib'), 0o755);
  });

  test('writable, and without its links: mended in place, and an existing database goes on as the account that owns it', async () => {
    const checkout = await cloneCheckout(join(base, 'unlinked'));
    const libraries = join(embeddedPackage(checkout), 'native', 'lib');
    const linked = async () =>
      (await readdir(libraries, { withFileTypes: true })).some((entry) => entry.isSymbolicLink());
    expect(await linked()).toBe(false);
    const dataDir = await dataDirOfNobody();
    await using aloft = new DatabaseProcess({ checkout, env: { DATA_DIR: dataDir } });
    const { cluster } = await aloft.told('opened');
    expect(await linked()).toBe(true);
    const { output } = await execute('ps', ['-o', 'uid=', '-p', String(await postmasterOf(cluster))]);
    expect(Number(output)).toBe((await stat(cluster)).uid);
  });

  test.runIf(process.platform === 'linux')(
    'without the loader that its programs name (musl), and without the package: one line names DATABASE_URL',
    async () => {
      const checkout = await cloneCheckout(join(base, 'musl'));
      const program = join(embeddedPackage(checkout), 'native', 'bin', 'postgres');
      const bytes = await readFile(program);
      const loader = /\/lib[\w/.-]*\/ld-linux[\w.-]+/.exec(bytes.subarray(0, 4_096).toString('latin1'))![0];
      bytes.write(loader.replace('ld-linux', 'ld-absnt'), bytes.indexOf(loader), 'latin1');
      await writeFile(program, bytes);
      const env = { DATA_DIR: join(base, 'data-of-musl') };
      expect(await refusal(env, { checkout })).toMatch(
        /^The embedded PostgreSQL does not run on this system: .*glibc.* Set DATABASE_URL/,
      );
      await rm(embeddedPackage(checkout), { recursive: true });
      expect(await refusal(env, { checkout })).toMatch(
        /^There is no embedded PostgreSQL here: .*is not installed; .* set DATABASE_URL/,
      );
    },
  );
});

/** Where we are root, whom no mode bits stop: another user. */
function asNobody(): { uid?: number } {
  return root ? { uid: NOBODY } : {};
}

async function mode(path: string): Promise<number> {
  return (await stat(path)).mode & 0o7777;
}
