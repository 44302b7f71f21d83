/** What every package store must do. A second store joins by a line in STORES. */
import { createHash, randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { setImmediate as turn } from 'node:timers/promises';

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { LIMITS } from '../../server/config.ts';
import { TooLargeError, UploadInterruptedError } from '../../server/domain/errors.ts';
import type { PackageStore } from '../../server/domain/ports.ts';
import { collect } from '../support/collect.ts';

interface OpenStore extends AsyncDisposable {
  readonly store: PackageStore;
}

const STORES: Record<string, () => Promise<OpenStore>> = {
  async disk() {
    const directory = await mkdtemp(join(tmpdir(), 'aloft-store-'));
    const store = await openDiskPackageStore(join(directory, 'packages'), { ...LIMITS, packageFilesOpenMax: 4 });
    return {
      store,
      async [Symbol.asyncDispose]() {
        await store[Symbol.asyncDispose]();
        await rm(directory, { recursive: true });
      },
    };
  },
};

describe.each(Object.entries(STORES))('package store: %s', (_name, openStore) => {
  let opened: OpenStore;
  let store: PackageStore;

  beforeAll(async () => {
    opened = await openStore();
    store = opened.store;
  });

  afterAll(() => opened[Symbol.asyncDispose]());

  test('P5 bytes come back exactly, whole and by range', async () => {
    const bytes = randomBytes(300_001);
    const sha256 = await keep(bytes);
    expect(sha256).toBe(sha256Of(bytes));
    expect(bytes.equals(await whole(sha256))).toBe(true);
    const middle = await buffer(await store.open(sha256, { start: 70_000, length: 140_000 }));
    expect(bytes.subarray(70_000, 210_000).equals(middle)).toBe(true);
    expect(await buffer(await store.open(sha256, { start: 300_000, length: 1_000 }))).toEqual(bytes.subarray(300_000));
    expect(await buffer(await store.open(sha256, { start: 300_001, length: 1_000 }))).toHaveLength(0);
    expect(await buffer(await store.open(sha256, { start: 5, length: 0 }))).toHaveLength(0);
  });

  test('W2 chunks of any size make up the whole, the chunk past the end is empty', async () => {
    const bytes = randomBytes(10_007);
    const sha256 = await keep(bytes);
    for (const size of [1_000, 4_096, 10_007, 20_000]) {
      const chunks: Buffer[] = [];
      for (let index = 0; ; index += 1) {
        const chunk = await store.read(sha256, index * size, size);
        chunks.push(chunk);
        if (chunk.length < size) break;
      }
      expect(Buffer.concat(chunks)).toEqual(bytes);
    }
    expect(await store.read(sha256, 10_007, 1)).toHaveLength(0);
    expect(await store.read(sha256, Number.MAX_SAFE_INTEGER - 1, 2 ** 31)).toHaveLength(0);
  });

  test('reads of many packages at once, more than stay open', async () => {
    const packages = await Promise.all(
      Array.from({ length: 12 }, async (_, index) => {
        const bytes = randomBytes(1_000 + index);
        return { bytes, sha256: await keep(bytes) };
      }),
    );
    for (let round = 0; round < 3; round += 1) {
      const read = await Promise.all(packages.map(({ sha256 }) => store.read(sha256, 100, 2_000)));
      expect(read).toEqual(packages.map(({ bytes }) => bytes.subarray(100)));
    }
  });

  test('any chunking of the same bytes gives the same SHA-256', async () => {
    const bytes = randomBytes(5_000);
    for (const size of [1, 7, 64, 4_999, 5_000]) {
      const chunks = Array.from({ length: Math.ceil(5_000 / size) }, (_, index) =>
        bytes.subarray(index * size, (index + 1) * size),
      );
      await using received = await store.receive(Readable.from(chunks), 5_000);
      expect(received).toMatchObject({ sha256: sha256Of(bytes), size: 5_000 });
    }
  });

  test('no bytes at all are received as such: to refuse them is for the domain', async () => {
    await using received = await store.receive(Readable.from([]), 10);
    expect(received).toMatchObject({ sha256: sha256Of(Buffer.alloc(0)), size: 0 });
  });

  test('what was not kept is not there', async () => {
    const bytes = randomBytes(100);
    const received = await store.receive(Readable.from([bytes]), 100);
    await expect(whole(received.sha256)).rejects.toMatchObject({ code: 'ENOENT' });
    await received[Symbol.asyncDispose]();
    await expect(store.read(received.sha256, 0, 1)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await list()).not.toContain(received.sha256);
  });

  test('P10 as many bytes as allowed are received, one more is refused where it comes and ends the source', async () => {
    await using received = await store.receive(Readable.from([Buffer.alloc(60), Buffer.alloc(40)]), 100);
    expect(received.size).toBe(100);

    let sent = 0;
    const endless = new Readable({
      read() {
        sent += 10;
        this.push(Buffer.alloc(10));
      },
      highWaterMark: 10,
    });
    await expect(store.receive(endless, 99)).rejects.toThrow(TooLargeError);
    expect(endless.destroyed).toBe(true);
    // What the stream had read ahead, and not one chunk more.
    expect(sent).toBeLessThanOrEqual(120);
  });

  test.each([
    ['fails', () => new Error('reset')],
    ['goes away', () => undefined],
  ])('P11 a source that %s in the middle is refused as interrupted', async (_how, cause) => {
    const source = new Readable({ read() {} });
    const receiving = store.receive(source, 1_000);
    source.push(Buffer.alloc(10));
    await turn();
    source.destroy(cause());
    await expect(receiving).rejects.toThrow(UploadInterruptedError);
  });

  test('P11 a source that failed before anyone read it is refused as interrupted', async () => {
    const source = new Readable({ read() {} });
    const receiving = store.receive(source, 1_000);
    source.destroy(new Error('reset at once'));
    await expect(receiving).rejects.toThrow(UploadInterruptedError);

    const dead = new Readable({ read() {} });
    dead.destroy();
    await expect(store.receive(dead, 1_000)).rejects.toThrow(UploadInterruptedError);
  });

  test('a refusal that the source ends with stays that refusal', async () => {
    const source = new Readable({ read() {} });
    const receiving = store.receive(source, 1_000);
    source.destroy(new TooLargeError('More than was declared.'));
    await expect(receiving).rejects.toThrow('More than was declared.');
  });

  test('the same bytes twice at once are stored once, and one removal removes them', async () => {
    const bytes = randomBytes(50_000);
    const [first, second] = await Promise.all([
      store.receive(Readable.from([bytes]), 50_000),
      store.receive(Readable.from([bytes]), 50_000),
    ]);
    await Promise.all([first.keep(), second.keep()]);
    expect((await list()).filter((sha256) => sha256 === first.sha256)).toHaveLength(1);
    await first[Symbol.asyncDispose]();
    await second[Symbol.asyncDispose]();
    expect(await whole(first.sha256)).toEqual(bytes);
    await store.remove(first.sha256);
    await expect(whole(first.sha256)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  test('removed bytes are gone at once, also for who just read them; kept again they are back', async () => {
    const bytes = randomBytes(100);
    const sha256 = await keep(bytes);
    expect(await store.read(sha256, 0, 100)).toEqual(bytes);
    await store.remove(sha256);
    await expect(store.read(sha256, 0, 100)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(await list()).not.toContain(sha256);
    await store.remove(sha256);
    await keep(bytes);
    expect(await store.read(sha256, 0, 100)).toEqual(bytes);
  });

  test('a removal amid reads harms none of them: each gets the right bytes, or hears that they are gone', async () => {
    const bytes = randomBytes(10_000);
    const sha256 = await keep(bytes);
    const outcomes = Array.from({ length: 200 }, async (_, index) => {
      const expected = bytes.subarray(index * 50, index * 50 + 50);
      try {
        return expected.equals(await store.read(sha256, index * 50, 50)) ? 'right' : 'wrong';
      } catch (error) {
        return error instanceof Error && 'code' in error ? error.code : error;
      }
    });
    await store.remove(sha256);
    expect(['right', 'ENOENT']).toEqual(expect.arrayContaining([...new Set(await Promise.all(outcomes))]));
  });

  test('it lists what is kept, each once', async () => {
    const kept = await Promise.all(Array.from({ length: 5 }, () => keep(randomBytes(10))));
    const listed = await list();
    expect(listed).toEqual(expect.arrayContaining(kept));
    expect(new Set(listed).size).toBe(listed.length);
  });

  test('W3 no name but a SHA-256 leads anywhere', async () => {
    for (const name of ['', '../../etc/passwd', 'ab/../../x', 'A'.repeat(64), '0'.repeat(63), `${'0'.repeat(64)}/`]) {
      await expect((async () => store.read(name, 0, 1))()).rejects.toThrow(TypeError);
      await expect(store.open(name)).rejects.toThrow(TypeError);
      await expect(store.remove(name)).rejects.toThrow(TypeError);
    }
  });

  async function keep(bytes: Buffer): Promise<string> {
    await using received = await store.receive(Readable.from([bytes]), bytes.length);
    await received.keep();
    return received.sha256;
  }

  async function whole(sha256: string): Promise<Buffer> {
    return buffer(await store.open(sha256));
  }

  async function list(): Promise<string[]> {
    return collect(store.list());
  }
});

function sha256Of(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
