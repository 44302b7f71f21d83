/** How devices hear of their packages: shared attributes, waiting for a change of them, and the bytes. Over every transport. */
import { createHash, randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { deleteDevice, rotateAccessToken } from '../../server/domain/device.ts';
import { DeviceServer } from '../support/device-server.ts';
import type { TestDevice } from '../support/device-server.ts';
import { HTTP } from './http-wire.ts';
import { refused } from './wire.ts';
import type { DeviceWire } from './wire.ts';
import { newTitle, queued, reassign, told } from './world.ts';

/** Longer than it takes to see that nothing comes. */
const QUIET_MS = 100;
const PATIENCE_MS = 10_000;
const PATIENCE = { timeout: PATIENCE_MS };

const KEYS = [
  'fw_title',
  'fw_version',
  'fw_tag',
  'fw_size',
  'fw_checksum_algorithm',
  'fw_checksum',
  'fw_url',
  'fw_ts',
  'fw_state',
];

describe.each([HTTP])('over $name', ({ connect }) => {
  let server: DeviceServer;

  beforeAll(async () => {
    server = await DeviceServer.open({ flushIntervalMs: 50 });
  });

  afterAll(() => server[Symbol.asyncDispose]());

  function wireOf({ accessToken }: TestDevice, of = server): DeviceWire {
    return connect(of.url, accessToken);
  }

  describe('shared attributes', () => {
    test('W1 appear when the update is initiated, whole, and not before', async () => {
      const { device, target } = await queued(server, { tag: 'stable' });
      expect(await wireOf(device).attributes()).toEqual({});
      await server.tell();
      const shared = {
        fw_title: target.title,
        fw_version: '2.0',
        fw_tag: 'stable',
        fw_size: target.bytes.length,
        fw_checksum_algorithm: 'SHA256',
        fw_checksum: target.sha256,
      };
      expect(await wireOf(device).attributes()).toEqual({ shared });
      expect(await wireOf(device).attributes({ shared: ['fw_version', 'fw_url', 'humidity'] })).toEqual({
        shared: { fw_version: '2.0' },
      });
    });

    test('W1 of a package by URL name what is known of it', async () => {
      const url = 'https://example.com/fw.bin';
      const bare = await told(server, { url });
      expect(await wireOf(bare.device).attributes()).toEqual({
        shared: { fw_title: bare.target.title, fw_version: '2.0', fw_url: url },
      });
      const full = await told(server, { url, type: 'SOFTWARE', checksum: 'AB'.repeat(32), dataSize: 2 ** 40 });
      expect(await wireOf(full.device).attributes()).toEqual({
        shared: {
          sw_title: full.target.title,
          sw_version: '2.0',
          sw_url: url,
          sw_size: 2 ** 40,
          sw_checksum_algorithm: 'SHA256',
          sw_checksum: 'ab'.repeat(32),
        },
      });
    });

    test('W1 show the package told last until the next one is told', async () => {
      const assigned = await told(server);
      const wire = wireOf(assigned.device);
      await reassign(server, assigned);
      expect(await wire.attributes({ shared: ['fw_version'] })).toEqual({ shared: { fw_version: '2.0' } });
      await server.tell();
      expect(await wire.attributes({ shared: ['fw_version'] })).toEqual({ shared: { fw_version: '3.0' } });
    });

    test('A3 go with the assignment', async () => {
      const { device } = await told(server);
      await server.unassign('FIRMWARE', { deviceId: device.id });
      expect(await wireOf(device).attributes()).toEqual({});
    });
  });

  describe('a device that waits for a change', () => {
    test('hears it when its turn comes, of both types, and of each once', async () => {
      const { device, target } = await queued(server);
      const wire = wireOf(device);
      const heard = wire.listen(PATIENCE_MS);
      expect(await Promise.race([heard, wire.listen(QUIET_MS)])).toBeNull();
      await server.tell();
      expect((await heard)?.values).toMatchObject({
        fw_title: target.title,
        fw_version: '2.0',
        fw_checksum: target.sha256,
      });

      const hearsSoftware = wire.listen(PATIENCE_MS);
      const software = await server.package('5', { title: newTitle(), type: 'SOFTWARE' });
      await server.assign(software, { deviceId: device.id });
      await server.tell();
      expect((await hearsSoftware)?.values).toMatchObject({ sw_title: software.title, sw_version: '5' });
      expect(await wire.listen(QUIET_MS)).toBeNull();
    });

    test('U5 that was away hears at once, also after its update went on', async () => {
      const { device, target } = await told(server);
      expect((await wireOf(device).listen(PATIENCE_MS))?.values).toMatchObject({ fw_title: target.title });
      const busy = await told(server);
      await wireOf(busy.device).postTelemetry('{"fw_state":"DOWNLOADING"}');
      expect((await wireOf(busy.device).listen(PATIENCE_MS))?.values).toMatchObject({ fw_title: busy.target.title });
    });

    test('hears nothing of what it has read by itself', async () => {
      const { device } = await told(server);
      await wireOf(device).attributes({ shared: ['fw_title', 'fw_version'] });
      expect(await wireOf(device).listen(QUIET_MS)).toBeNull();
      const curious = await told(server);
      await wireOf(curious.device).attributes({ shared: ['fw_size'] });
      expect(await wireOf(curious.device).listen(PATIENCE_MS)).not.toBeNull();
    });

    test('A3 hears of the deletion once, after an unassignment', async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      await wire.listen(PATIENCE_MS);
      const heard = wire.listen(PATIENCE_MS);
      await server.unassign('FIRMWARE', { deviceId: device.id });
      expect(await heard).toEqual({ values: {}, deleted: KEYS });
      expect(await wire.listen(QUIET_MS)).toBeNull();
    });

    test('hears the same again where it did not begin, and no more once it has', async () => {
      await using impatient = await DeviceServer.open({ offerRepeatMs: 300, flushIntervalMs: 20 });
      const { device } = await told(impatient);
      const wire = wireOf(device, impatient);
      for (const turn of [1, 2, 3]) {
        expect((await wire.listen(PATIENCE_MS))?.values, `turn ${turn}`).toMatchObject({ fw_version: '2.0' });
      }
      await wire.postTelemetry('{"fw_state":"DOWNLOADING"}');
      expect(await wire.listen(500)).toBeNull();
    });

    test('U13 has it delivered also for a server that starts anew', async () => {
      const { device } = await told(server);
      await wireOf(device).listen(PATIENCE_MS);
      await expect.poll(async () => (await server.situation(device)).slot.deliveredOffer, PATIENCE).toBe(1);
    });

    test('S3 is refused as soon as its token is worth nothing', async () => {
      const [rotated, deleted] = [await server.device(), await server.device()];
      const waits = [wireOf(rotated).listen(PATIENCE_MS), wireOf(deleted).listen(PATIENCE_MS)];
      const outcomes = Promise.allSettled(waits);
      await server.transact((query) => rotateAccessToken(query, server.tenant.actor, rotated.id));
      await server.transact((query) => deleteDevice(query, server.tenant.actor, deleted.id, new Date()));
      for (const outcome of await outcomes) {
        expect(outcome).toEqual({ status: 'rejected', reason: refused('UNAUTHENTICATED') });
      }
    });
  });

  describe('bytes', () => {
    const SIZE = 100_003;

    test.each([1_000, 4_096, 65_536, SIZE - 1, SIZE, SIZE + 1])(
      'W2 in chunks of %i reassemble to the advertised checksum, the chunk past the end included',
      async (size) => {
        const { device, target } = await told(server, { bytes: randomBytes(SIZE) });
        const wire = wireOf(device);
        const { shared = {} } = await wire.attributes();
        const hash = createHash('sha256');
        let length = 0;
        for (let index = 0; ; index += 1) {
          const bytes = await wire.chunk({ title: target.title, version: '2.0', size, index });
          hash.update(bytes);
          length += bytes.length;
          if (bytes.length === 0) break;
        }
        expect(length).toBe(shared['fw_size']);
        expect(hash.digest('hex')).toBe(shared['fw_checksum']);
      },
    );

    test('W2 are whole with size 0', async () => {
      const { device, target } = await told(server, { bytes: randomBytes(1_000_000) });
      expect((await wireOf(device).chunk({ title: target.title, version: '2.0', size: 0 })).equals(target.bytes)).toBe(
        true,
      );
    });

    test.each([
      [2 ** 31, 4],
      ['9007199254740993', '9007199254740993'],
      ['9'.repeat(300), 1],
      [1, '9'.repeat(400)],
    ])('W2 of chunk %s × %s are past the end, not an overflow', async (size, index) => {
      const { device, target } = await told(server);
      expect(await wireOf(device).chunk({ title: target.title, version: '2.0', size, index })).toHaveLength(0);
    });

    test('W2 of a chunk larger than any package are all there are', async () => {
      const { device, target } = await told(server);
      const chunk = { title: target.title, version: '2.0', size: '9'.repeat(400), index: 0 };
      expect(await wireOf(device).chunk(chunk)).toEqual(target.bytes);
    });

    test('W2 of two packages are never mixed: after a reassignment the former is refused', async () => {
      const assigned = await told(server);
      const { device, target } = assigned;
      const wire = wireOf(device);
      const chunk = { title: target.title, size: 4 };
      await wire.chunk({ ...chunk, version: '2.0', index: 0 });
      const next = await reassign(server, assigned);
      await expect
        .poll(() => wire.chunk({ ...chunk, version: '2.0', index: 1 }).catch((error: unknown) => error), PATIENCE)
        .toEqual(refused('VALIDATION'));
      expect(await wire.chunk({ ...chunk, version: '3.0', index: 0 })).toEqual(next.bytes.subarray(0, 4));
    });

    test('are there as soon as the package is effective, also while queued and of the profile', async () => {
      const { device, target } = await queued(server);
      expect(await wireOf(device).chunk({ title: target.title, version: '2.0', size: 4, index: 1 })).toEqual(
        target.bytes.subarray(4, 8),
      );
      const forAll = await server.package('1', { title: newTitle() });
      const other = await server.device();
      await server.assign(forAll);
      expect(await wireOf(other).chunk({ title: forAll.title, version: '1', size: 0 })).toEqual(forAll.bytes);
      await server.unassign('FIRMWARE');
      await expect
        .poll(
          () =>
            wireOf(other)
              .chunk({ title: forAll.title, version: '1', size: 0 })
              .catch((error: unknown) => error),
          PATIENCE,
        )
        .toEqual(refused('NOT_FOUND'));
    });

    test.each([
      ['another title', { title: 'other', version: '2.0', size: 4 }, 'VALIDATION'],
      ['another version', { version: '2.00', size: 4 }, 'VALIDATION'],
      ['a version that is not text', { version: '2', size: 4 }, 'VALIDATION'],
      ['another type', { type: 'SOFTWARE', version: '2.0', size: 4 }, 'NOT_FOUND'],
      ['a negative size', { version: '2.0', size: -1 }, 'VALIDATION'],
      ['a negative chunk', { version: '2.0', size: 4, index: -1 }, 'VALIDATION'],
      ['a size that is no number', { version: '2.0', size: '4k' }, 'VALIDATION'],
      ['a chunk that is no whole number', { version: '2.0', size: 4, index: '1.5' }, 'VALIDATION'],
    ] as const)('W4 for %s are refused', async (_, chunk, code) => {
      const { device, target } = await told(server);
      await expect(wireOf(device).chunk({ title: target.title, ...chunk })).rejects.toEqual(refused(code));
    });

    test('P6 of a package by URL are not ours to give', async () => {
      const { device, target } = await told(server, { url: 'https://example.com/fw.bin' });
      await expect(wireOf(device).chunk({ title: target.title, version: '2.0', size: 4 })).rejects.toEqual(
        refused('NOT_FOUND'),
      );
    });

    test('W3 of another device are out of reach, and an unknown token reaches nothing', async () => {
      const mine = await told(server);
      const other = await told(server);
      const chunk = { title: other.target.title, version: '2.0', size: 4 };
      await expect(wireOf(mine.device).chunk(chunk)).rejects.toEqual(refused('VALIDATION'));
      await expect(wireOf(await server.device()).chunk(chunk)).rejects.toEqual(refused('NOT_FOUND'));
      for (const accessToken of [
        'unknown',
        other.device.id,
        `${other.device.accessToken}x`,
        other.device.accessToken.toLowerCase(),
      ]) {
        const wire = connect(server.url, accessToken);
        const calls = [
          wire.chunk(chunk),
          wire.attributes(),
          wire.listen(10),
          wire.postTelemetry('{"fw_state":"FAILED"}'),
          wire.postAttributes('{"a":1}'),
        ];
        for (const call of await Promise.allSettled(calls)) {
          expect(call).toEqual({ status: 'rejected', reason: refused('UNAUTHENTICATED') });
        }
      }
      expect((await server.situation(other.device)).slot.update?.state).toBe('INITIATED');
    });

    test('W3 are out of reach once the token was replaced, at most a second later', async () => {
      const { device, target } = await told(server);
      const chunk = { title: target.title, version: '2.0', size: 4 };
      await wireOf(device).chunk(chunk);
      const accessToken = await server.transact((query) => rotateAccessToken(query, server.tenant.actor, device.id));
      await expect
        .poll(
          () =>
            wireOf(device)
              .chunk(chunk)
              .catch((error: unknown) => error),
          PATIENCE,
        )
        .toEqual(refused('UNAUTHENTICATED'));
      expect(await connect(server.url, accessToken).chunk(chunk)).toHaveLength(4);
    });
  });

  describe('client attributes', () => {
    test('are kept, merged and read back as they were sent', async () => {
      const wire = wireOf(await server.device());
      await wire.postAttributes('{"site":"roof","floors":[1,2.50],"pump":{"rpm":3}}');
      await wire.postAttributes('{"site":"cellar","site2":null,"fw_state":"IDLE"}');
      expect(await wire.attributes()).toEqual({
        client: { site: 'cellar', floors: [1, 2.5], pump: { rpm: 3 }, fw_state: 'IDLE' },
      });
      expect(await wire.attributes({ client: ['floors', 'site2', 'none'] })).toEqual({ client: { floors: [1, 2.5] } });
      expect(await wire.attributes({ shared: ['site'] })).toEqual({});
    });

    test('W4 beyond their limit are refused, and nothing changes, not even an update', async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      const half = 'x'.repeat(40_000);
      await wire.postAttributes(JSON.stringify({ a: half }));
      await expect(wire.postAttributes(JSON.stringify({ b: half, fw_state: 'FAILED' }))).rejects.toEqual(
        refused('TOO_LARGE'),
      );
      expect(await wire.attributes({ client: ['b'] })).toEqual({});
      expect((await server.situation(device)).slot.update?.state).toBe('INITIATED');
      await wire.postAttributes(JSON.stringify({ a: 'short', b: half }));
      expect(await wire.attributes({ client: ['a'] })).toEqual({ client: { a: 'short' } });
    });

    test.each(['[{"a":1}]', '5', '{"a":1e400}', '{"a":1e-9999}', '{"a":', ''])('W4 %s is refused', async (text) => {
      const wire = wireOf(await server.device());
      await expect(wire.postAttributes(text)).rejects.toEqual(refused('VALIDATION'));
      expect(await wire.attributes()).toEqual({});
    });

    test('W4 that PostgreSQL could not store are kept all the same', async () => {
      const wire = wireOf(await server.device());
      await wire.postAttributes(String.raw`{"a\u0000":"b\ud800","c":[{"d":"\u0000"}]}`);
      expect(await wire.attributes()).toEqual({ client: { 'a\uFFFD': 'b\uFFFD', c: [{ d: '\uFFFD' }] } });
    });
  });

  test('a sign of life is written once in its quantum', async () => {
    const device = await server.device();
    const seen = (): Promise<{ seen_at: Date }[]> =>
      server.query('SELECT seen_at FROM device_seen WHERE device_id = $1::uuid', [device.id]);
    expect(await seen()).toEqual([]);
    await wireOf(device).postTelemetry('{"temperature":20}');
    await expect.poll(seen, PATIENCE).toHaveLength(1);
    const first = await seen();
    await wireOf(device).attributes();
    await wireOf(device).listen(QUIET_MS);
    expect(await seen()).toEqual(first);
    expect(Math.abs((first[0]?.seen_at.getTime() ?? 0) - Date.now())).toBeLessThan(60_000);
  });
});
