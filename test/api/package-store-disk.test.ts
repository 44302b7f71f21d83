/** What the store on disk does with its files: leftovers, damage, a full disk, stalled sources. */
import { execFile } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, readlink, rm, stat, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import type { DiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { LIMITS } from '../../server/config.ts';
import type { Limits } from '../../server/config.ts';
import { TooLargeError, UnavailableError, UploadInterruptedError } from '../../server/domain/errors.ts';
import { collect } from '../support/collect.ts';

const run = promisify(execFile);

const HOUR_MS = 3_600_000;

let parent: string;
let directory: string;
let store: DiskPackageStore;

beforeEach(async () => {
  parent = await mkdtemp(join(tmpdir(), 'aloft-store-'));
  directory = join(parent, 'packages');
  store = await open();
});

afterEach(async () => {
  await store[Symbol.asyncDispose]();
  await rm(parent, { recursive: true });
});

test('P5 a kept file lies under its SHA-256, for the owner alone', async () => {
  const bytes = randomBytes(1_000);
  const sha256 = await keep(bytes);
  const path = join(directory, sha256.slice(0, 2), sha256.slice(2));
  expect(await readFile(path)).toEqual(bytes);
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await stat(directory)).mode & 0o777).toBe(0o700);
  expect(await incoming()).toEqual([]);
});

test('P11 no refused or unwanted upload leaves a file', async () => {
  await expect(store.receive(Readable.from([Buffer.alloc(11)]), 10)).rejects.toThrow(TooLargeError);
  const broken = new Readable({ read() {} });
  const receiving = store.receive(broken, 10);
  broken.push(Buffer.alloc(5));
  broken.destroy(new Error('reset'));
  await expect(receiving).rejects.toThrow(UploadInterruptedError);
  {
    await using received = await store.receive(Readable.from([Buffer.alloc(5)]), 10);
    expect(received.size).toBe(5);
    expect(await incoming()).toHaveLength(1);
  }
  expect(await incoming()).toEqual([]);
  expect(await collect(store.list())).toEqual([]);
});

test('P11 a source that sends nothing is given up', async () => {
  await using impatient = await open({ uploadIdleMs: 50 });
  const silent = new Readable({ read() {} });
  await expect(impatient.receive(silent, 10)).rejects.toThrow('No byte arrived for 50 ms.');
  expect(silent.destroyed).toBe(true);
  expect(await incoming()).toEqual([]);
});

test('more uploads at once than allowed are refused, and there is room again when one ends', async () => {
  await using narrow = await open({ uploadsMax: 1 });
  const first = new Readable({ read() {} });
  const receiving = narrow.receive(first, 10);
  const second = new Readable({ read() {} });
  await expect(narrow.receive(second, 10)).rejects.toThrow(UnavailableError);
  expect(second.destroyed).toBe(true);
  first.push(null);
  await (await receiving)[Symbol.asyncDispose]();
  await using third = await narrow.receive(Readable.from([Buffer.alloc(1)]), 10);
  expect(third.size).toBe(1);
});

test('U13 leftovers of a process that died go, what others are writing stays', async () => {
  await using other = await open();
  await using theirs = await other.receive(Readable.from([Buffer.from('theirs')]), 10);
  await using mine = await store.receive(Readable.from([Buffer.from('mine')]), 10);
  await age(await incoming());
  await writeFile(join(directory, 'incoming', 'fresh'), 'half');
  await writeFile(join(directory, 'incoming', 'old'), 'half');
  await age(['old']);
  // Their file is as old as the leftover now, so it is spared only while it is fresh; ours is known to be ours.
  await utimes(join(directory, 'incoming', await theirName()), new Date(), new Date());

  expect(await store.sweepIncoming(HOUR_MS)).toBe(1);
  expect(await incoming()).not.toContain('old');
  await mine.keep();
  await theirs.keep();
  expect(await store.sweepIncoming(0)).toBe(1);
  expect(await incoming()).toEqual([]);
  expect(await collect(store.list())).toHaveLength(2);

  async function theirName(): Promise<string> {
    for (const name of await incoming()) {
      if ((await readFile(join(directory, 'incoming', name), 'utf8')) === 'theirs') return name;
    }
    throw new Error('their file is gone');
  }
});

test('foreign files in the directory are not listed', async () => {
  await writeFile(join(directory, 'README'), 'not ours');
  await mkdir(join(directory, 'ab'));
  await writeFile(join(directory, 'ab', 'short'), 'not ours');
  const sha256 = await keep(randomBytes(10));
  expect(await collect(store.list())).toEqual([sha256]);
});

test('P14 the same bytes uploaded again heal a file that was damaged, also for who has it open', async () => {
  const bytes = randomBytes(100);
  const sha256 = await keep(bytes);
  await writeFile(join(directory, sha256.slice(0, 2), sha256.slice(2)), randomBytes(100));
  expect(await store.read(sha256, 0, 100)).not.toEqual(bytes);
  await keep(bytes);
  expect(await store.read(sha256, 0, 100)).toEqual(bytes);
});

test('files that were read stay open within their number and for their time only', async (context) => {
  if (process.platform !== 'linux') context.skip('only Linux shows what a process has open as files');
  await using small = await open({ packageFilesOpenMax: 2, packageFileIdleMs: 1_000 });
  const kept = await Promise.all([1, 2, 3, 4].map(() => keep(randomBytes(10))));
  for (const sha256 of kept) await small.read(sha256, 0, 10);
  await expect.poll(openDescriptors).toBe(2);
  await expect.poll(openDescriptors, { timeout: 10_000 }).toBe(0);
});

test('a full disk refuses in words and leaves nothing', async (context) => {
  // A file system of one megabyte in a mount namespace of its own; not every machine grants one.
  const script = fileURLToPath(new URL('../support/full-disk.ts', import.meta.url));
  const shell = 'mount -t tmpfs -o size=1m none "$1" && exec "$2" --import tsx "$3" "$1"';
  const mountPoint = join(parent, 'small');
  await mkdir(mountPoint);
  const unshare = ['--user', '--map-root-user', '--mount', 'sh', '-c'];
  const isGranted = await run('unshare', [...unshare, 'mount -t tmpfs none "$1"', 'sh', mountPoint]).then(
    () => true,
    () => false,
  );
  if (!isGranted) context.skip('this machine grants no mount namespace');
  const { stdout } = await run('unshare', [...unshare, shell, 'sh', mountPoint, process.execPath, script]);
  expect(JSON.parse(stdout)).toEqual({
    refused: 'UNAVAILABLE The disk that holds the packages is full.',
    left: [],
    fits: 500_000,
  });
});

function open(limits: Partial<Limits> = {}): Promise<DiskPackageStore> {
  return openDiskPackageStore(directory, { ...LIMITS, ...limits });
}

async function keep(bytes: Buffer): Promise<string> {
  await using received = await store.receive(Readable.from([bytes]), bytes.length);
  await received.keep();
  return received.sha256;
}

function incoming(): Promise<string[]> {
  return readdir(join(directory, 'incoming'));
}

async function age(names: readonly string[]): Promise<void> {
  const old = new Date(Date.now() - 2 * HOUR_MS);
  await Promise.all(names.map((name) => utimes(join(directory, 'incoming', name), old, old)));
}

/** Files of the store that this process holds open, by the system's own account. */
async function openDescriptors(): Promise<number> {
  const descriptors = await readdir('/proc/self/fd');
  const paths = await Promise.all(descriptors.map((name) => readlink(`/proc/self/fd/${name}`).catch(() => '')));
  return paths.filter((path) => path.startsWith(directory)).length;
}
