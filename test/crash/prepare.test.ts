/** What `npm start` and `npm test` do first, in a checkout of its own that shares only the installed packages. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { appendFile, cp, mkdir, mkdtemp, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
/** Enough of the server to compile, and `CLIENT` instead of the pages, so that this file tests nothing but the preparing. */
const SOURCES = [
  ...['.config', 'package-lock.json', 'package.json', 'prisma/schema.prisma', 'tsconfig.json'],
  ...[
    'server/cli/prepare.mjs',
    'server/cli/preparing-lock.mjs',
    'server/config.ts',
    'server/domain',
    'server/tsconfig.json',
  ],
];
const CLIENT = {
  'client/index.html': '<!doctype html><title>Aloft</title>',
  'client/vite.config.ts': `export default { root: import.meta.dirname, build: { outDir: '../dist/client', emptyOutDir: true } };`,
};

let checkout: string;
const at = (path: string): string => join(checkout, path);

beforeAll(async () => {
  checkout = await mkdtemp(join(tmpdir(), 'aloft-prepare-'));
  for (const path of SOURCES) await cp(join(ROOT, path), at(path), { recursive: true });
  await mkdir(at('client'));
  for (const [path, source] of Object.entries(CLIENT)) await writeFile(at(path), source);
  // Links one by one: an installation here would replace the links, not the packages.
  await mkdir(at('node_modules'));
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    await symlink(join(ROOT, 'node_modules', name), at(`node_modules/${name}`));
  }
});

afterAll(() => rm(checkout, { recursive: true, force: true }));

test('a checkout is made ready once, and again only when a source differs', async () => {
  expect(await prepare('dependencies', 'prismaClient')).toEqual({ code: 0, said: ['Generating the Prisma client …'] });
  expect(await prepare()).toEqual({ code: 0, said: ['Compiling the server …', 'Building the client …'] });
  expect(await prepare()).toEqual({ code: 0, said: [] });

  await writeFile(at('server/domain/extra.ts'), 'export const extra = 1;\n');
  expect(await prepare()).toEqual({ code: 0, said: ['Compiling the server …'] });
  expect(existsSync(at('dist/server/domain/extra.js'))).toBe(true);

  await rm(at('server/domain/extra.ts'));
  expect(await prepare()).toEqual({ code: 0, said: ['Compiling the server …'] });
  expect(existsSync(at('dist/server/domain/extra.js'))).toBe(false);
});

test('a run that was killed is repaired by the next, which waits for what the killed one left at work', async () => {
  await rm(at('dist'), { recursive: true });
  const killed = start();
  await expect.poll(() => existsSync(at('dist/server/config.js')), { timeout: 60_000, interval: 1 }).toBe(true);
  killed.kill('SIGKILL');
  await once(killed, 'close');
  expect(existsSync(at('dist/server/.made-from'))).toBe(false);

  const { code, said } = await prepare();
  expect({ code, first: said[0] }).toEqual({
    code: 0,
    first: 'Waiting for another run that makes the checkout ready …',
  });
  expect(said).toContain('Compiling the server …');
  expect(await prepare()).toEqual({ code: 0, said: [] });
});

test('of several runs at once one works and the others wait for it', async () => {
  await rm(at('dist'), { recursive: true });
  const runs = await Promise.all([prepare(), prepare(), prepare()]);
  expect(runs.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect(runs.flatMap(({ said }) => said).toSorted()).toEqual([
    'Building the client …',
    'Compiling the server …',
    'Waiting for another run that makes the checkout ready …',
    'Waiting for another run that makes the checkout ready …',
  ]);
});

test('a source that does not compile ends the run with one line below what the compiler says', async () => {
  await appendFile(at('server/config.ts'), `\nexport const port: number = 'eighty';\n`);
  const { code, said } = await prepare();
  expect(code).toBe(1);
  expect(said.join('\n')).toMatch(/server\/config\.ts\(\d+,\d+\): error TS2322/);
  expect(said.at(-1)).toBe('tsc failed (exit 2); its words are above.');
  expect((await prepare()).code).toBe(1);
});

function start(...products: string[]): ChildProcess {
  return spawn(process.execPath, [at('server/cli/prepare.mjs'), ...products], { stdio: ['ignore', 'ignore', 'pipe'] });
}

async function prepare(...products: string[]): Promise<{ code: number; said: string[] }> {
  const child = start(...products);
  const closed = once(child, 'close');
  const said = child.stderr ? await text(child.stderr) : '';
  const [code] = await closed;
  return { code, said: said.split('\n').filter(Boolean) };
}
