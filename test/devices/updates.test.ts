/** What devices report and how their updates move by it, over every transport. The table itself is tested cell by cell without one. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeviceServer } from '../support/device-server.ts';
import type { TestDevice } from '../support/device-server.ts';
import { expectInvariants } from '../support/invariants.ts';
import { HTTP } from './http-wire.ts';
import { refused } from './wire.ts';
import type { DeviceWire } from './wire.ts';
import { queued, reassign, told } from './world.ts';

/** For what comes soon, also on a machine that is busy. */
const PATIENCE = { timeout: 10_000 };

describe.each([HTTP])('over $name', ({ connect }) => {
  let server: DeviceServer;

  beforeAll(async () => {
    server = await DeviceServer.open({ flushIntervalMs: 50 });
  });

  afterAll(async () => {
    await expectInvariants(server.query);
    await server[Symbol.asyncDispose]();
  });

  function wireOf({ accessToken }: TestDevice): DeviceWire {
    return connect(server.url, accessToken);
  }

  async function say(wire: DeviceWire, ...messages: object[]): Promise<void> {
    for (const message of messages) await wire.postTelemetry(JSON.stringify(message));
  }

  const states = (...words: string[]): object[] => words.map((word) => ({ fw_state: word }));

  describe('an update', () => {
    test('U4 goes through its states, and each change is in the history with both times', async () => {
      const { device, target } = await told(server);
      const ts = Date.now() - 3_600_000;
      const wire = wireOf(device);
      for (const [i, word] of ['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING'].entries()) {
        await say(wire, { ts: ts + i, values: { fw_state: word } });
      }
      await say(wire, {
        ts: ts + 9,
        values: { fw_state: 'UPDATED', current_fw_title: target.title, current_fw_version: '2.0' },
      });
      expect(await server.history(device)).toEqual([
        '2.0 QUEUED',
        '2.0 INITIATED',
        '2.0 DOWNLOADING',
        '2.0 DOWNLOADED',
        '2.0 VERIFIED',
        '2.0 UPDATING',
        '2.0 UPDATED SUCCEEDED',
      ]);
      const times = await server.query<{ at: Date; received_at: Date }>(
        `SELECT at, received_at FROM update_event WHERE device_id = $1::uuid AND state NOT IN ('QUEUED', 'INITIATED') ORDER BY seq`,
        [device.id],
      );
      expect(times.map(({ at }) => at.getTime() - ts)).toEqual([0, 1, 2, 3, 9]);
      for (const { received_at: at } of times) expect(Date.now() - at.getTime()).toBeLessThan(60_000);
    });

    test('U4 is not moved by repeats and what comes too late, and may skip states', async () => {
      const { device } = await told(server);
      await say(
        wireOf(device),
        ...states(
          'downloading',
          'DOWNLOADING',
          'VERIFIED',
          'DOWNLOADED',
          'VERIFIED',
          'UPDATED',
          'UPDATED',
          'FAILED',
          'UPDATING',
        ),
      );
      expect(await server.history(device)).toEqual([
        '2.0 QUEUED',
        '2.0 INITIATED',
        '2.0 DOWNLOADING',
        '2.0 VERIFIED',
        '2.0 UPDATED SUCCEEDED',
      ]);
    });

    test('U4 starts over where the device does', async () => {
      const { device } = await told(server);
      await say(wireOf(device), ...states('DOWNLOADING', 'DOWNLOADED', 'DOWNLOADING', 'DOWNLOADED'));
      expect((await server.history(device)).slice(2)).toEqual([
        '2.0 DOWNLOADING',
        '2.0 DOWNLOADED',
        '2.0 DOWNLOADING',
        '2.0 DOWNLOADED',
      ]);
    });

    test('U4 applies the states of one message by their ts, and passes over those older than the last', async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      const at = (ts: number, word: string): object => ({ ts, values: { fw_state: word } });
      await say(wire, [at(3_000, 'VERIFIED'), at(1_000, 'DOWNLOADING'), at(2_000, 'DOWNLOADED')]);
      await say(wire, at(2_500, 'FAILED'), at(4_000, 'UPDATING'));
      expect((await server.history(device)).slice(2)).toEqual([
        '2.0 DOWNLOADING',
        '2.0 DOWNLOADED',
        '2.0 VERIFIED',
        '2.0 UPDATING',
      ]);
    });

    test("U6 is UPDATED by the target's title and version, whatever else is said", async () => {
      const { device, target } = await told(server);
      await say(wireOf(device), { fw_state: 'FAILED', current_fw_title: target.title, current_fw_version: '2.0' });
      expect((await server.history(device)).at(-1)).toBe('2.0 UPDATED SUCCEEDED');
    });

    test('U6 is INTERRUPTED by UPDATED with the old version', async () => {
      const { device } = await told(server);
      await say(wireOf(device), { fw_state: 'UPDATING' }, { fw_state: 'UPDATED', current_fw_version: '1.0' });
      expect((await server.history(device)).at(-1)).toBe('2.0 FAILED INTERRUPTED');
    });

    test("U7 that FAILED keeps the device's own words, and the device that starts again opens the next attempt", async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      await say(
        wire,
        { fw_state: 'FAILED', fw_error: 'flash is worn: 0x1f' },
        { fw_state: 'FAILED', fw_error: 'second thoughts' },
      );
      const first = (await server.situation(device)).slot.update;
      expect(first).toMatchObject({
        state: 'FAILED',
        result: 'DEVICE_FAILED',
        error: 'flash is worn: 0x1f',
        attempt: 1,
      });
      await say(wire, ...states('DOWNLOADING', 'UPDATED'));
      const second = (await server.situation(device)).slot.update;
      expect(second).toMatchObject({
        state: 'UPDATED',
        result: 'SUCCEEDED',
        attempt: 2,
        assignmentId: first?.assignmentId,
      });
    });

    test('U12 to 1.10 is not proved by 1.1, be it a number or a text', async () => {
      const { device } = await told(server, {}, '1.10');
      const wire = wireOf(device);
      await say(wire, { fw_state: 'DOWNLOADING' });
      await wire.postTelemetry('{"current_fw_version":1.1}');
      await wire.postTelemetry('{"current_fw_version":"1.1"}');
      expect((await server.situation(device)).slot).toMatchObject({
        current: { version: '1.1' },
        update: { state: 'DOWNLOADING' },
      });
      await wire.postTelemetry('{"current_fw_version":1.10}');
      expect((await server.history(device)).at(-1)).toBe('1.10 UPDATED SUCCEEDED');
    });

    test('U3 of firmware and one of software go side by side', async () => {
      const { device } = await told(server);
      const software = await server.package('7', { title: 'app', type: 'SOFTWARE' });
      await server.assign(software, { deviceId: device.id });
      await server.tell();
      const wire = wireOf(device);
      await say(wire, { fw_state: 'DOWNLOADING', sw_state: 'UPDATED' }, { sw_state: 'FAILED', fw_state: 'DOWNLOADED' });
      expect((await server.history(device, 'FIRMWARE')).slice(2)).toEqual(['2.0 DOWNLOADING', '2.0 DOWNLOADED']);
      expect((await server.history(device, 'SOFTWARE')).slice(2)).toEqual(['7 UPDATED SUCCEEDED']);
      expect(await wire.chunk({ type: 'SOFTWARE', title: 'app', version: '7', size: 0 })).toEqual(software.bytes);
    });

    test('is moved by attributes as by telemetry', async () => {
      const { device } = await told(server);
      await wireOf(device).postAttributes('{"fw_state":"DOWNLOADING","site":"roof"}');
      expect((await server.history(device)).at(-1)).toBe('2.0 DOWNLOADING');
      expect(await wireOf(device).attributes({ client: ['site'] })).toEqual({ client: { site: 'roof' } });
    });
  });

  describe('an update that took over from another', () => {
    test('U4 is not moved by late reports for the former, until a chunk of its own is fetched', async () => {
      const assigned = await told(server);
      const { device, target } = assigned;
      const wire = wireOf(device);
      await say(wire, { fw_state: 'DOWNLOADING' });
      const next = await reassign(server, assigned);
      await say(wire, ...states('DOWNLOADED', 'DOWNLOADING'));
      await server.tell();
      await say(wire, ...states('VERIFIED', 'FAILED', 'UPDATED'));
      expect((await server.situation(device)).slot.update).toMatchObject({
        version: '3.0',
        state: 'INITIATED',
        deaf: true,
      });

      expect(await wire.chunk({ title: target.title, version: '3.0', size: 4, index: 0 })).toEqual(
        next.bytes.subarray(0, 4),
      );
      await say(wire, ...states('DOWNLOADED', 'VERIFIED'));
      expect(await server.history(device)).toEqual([
        '2.0 QUEUED',
        '2.0 INITIATED',
        '2.0 DOWNLOADING',
        '2.0 CANCELED SUPERSEDED',
        '3.0 QUEUED',
        '3.0 INITIATED',
        '3.0 DOWNLOADED',
        '3.0 VERIFIED',
      ]);
    });

    test('U4 hears the first DOWNLOADING once it is told', async () => {
      const assigned = await told(server);
      const wire = wireOf(assigned.device);
      await say(wire, { fw_state: 'DOWNLOADING' });
      await reassign(server, assigned);
      await server.tell();
      await say(wire, ...states('DOWNLOADING', 'FAILED'));
      expect((await server.history(assigned.device)).slice(-2)).toEqual([
        '3.0 DOWNLOADING',
        '3.0 FAILED DEVICE_FAILED',
      ]);
    });

    test('U4 is offered again where the device finished the former first', async () => {
      const assigned = await told(server);
      const { device, target } = assigned;
      const wire = wireOf(device);
      await say(wire, { fw_state: 'UPDATING' });
      await reassign(server, assigned);
      await server.tell();
      expect(await wire.listen(1_000)).toMatchObject({ values: { fw_version: '3.0' } });
      expect(await wire.listen(50)).toBeNull();
      await say(wire, { fw_state: 'DOWNLOADING' });
      await say(wire, { fw_state: 'UPDATED', current_fw_title: target.title, current_fw_version: '2.0' });
      expect((await server.history(device)).slice(-2)).toEqual(['3.0 DOWNLOADING', '3.0 INITIATED']);
      expect(await wire.listen(1_000)).toMatchObject({ values: { fw_version: '3.0' } });
    });

    test('U2 is proved by its own version while still queued', async () => {
      const assigned = await told(server);
      await say(wireOf(assigned.device), { fw_state: 'DOWNLOADING' });
      await reassign(server, assigned);
      await say(wireOf(assigned.device), { current_fw_title: assigned.target.title, current_fw_version: '3.0' });
      expect((await server.history(assigned.device)).at(-1)).toBe('3.0 UPDATED ALREADY_CURRENT');
    });
  });

  describe('bytes served', () => {
    test('U10 are exact for a device that reports nothing, and a repeated chunk counts once', async () => {
      const { device, target } = await told(server, { bytes: Buffer.alloc(10_000, 7) });
      const wire = wireOf(device);
      const served = async (): Promise<number | undefined> => (await server.situation(device)).slot.update?.bytesServed;
      const chunk = (index: number): Promise<Buffer> =>
        wire.chunk({ title: target.title, version: '2.0', size: 3_000, index });
      for (const index of [0, 1, 1, 0]) await chunk(index);
      await expect.poll(served, PATIENCE).toBe(6_000);
      for (const index of [3, 3, 4, 1, 5]) await chunk(index);
      await expect.poll(served, PATIENCE).toBe(7_000);
      await chunk(2);
      await expect.poll(served, PATIENCE).toBe(10_000);
      await wire.chunk({ title: target.title, version: '2.0', size: 0 });
      await say(wire, { fw_state: 'DOWNLOADED' });
      expect(await served()).toBe(10_000);
    });

    test('U10 are in the event of the report that follows them, without waiting for a flush', async () => {
      const { device, target } = await told(server, { bytes: Buffer.alloc(1_000, 7) });
      const wire = wireOf(device);
      await wire.chunk({ title: target.title, version: '2.0', size: 600, index: 0 });
      await say(wire, { fw_state: 'DOWNLOADING' });
      const [event] = await server.query<{ served: string }>(
        `SELECT bytes_served AS served FROM update_event WHERE device_id = $1::uuid AND state = 'DOWNLOADING'`,
        [device.id],
      );
      expect(event).toEqual({ served: '600' });
    });

    test('U10 prove that a queued update was carried out', async () => {
      const { device, target } = await queued(server);
      const wire = wireOf(device);
      expect(await wire.chunk({ title: target.title, version: '2.0', size: 0 })).toEqual(target.bytes);
      await say(wire, { current_fw_title: target.title, current_fw_version: '2.0' });
      expect((await server.history(device)).at(-1)).toBe('2.0 UPDATED SUCCEEDED');
    });
  });

  describe('reports', () => {
    test('W1 of a hundred devices at once each reach their own update', async () => {
      const target = await server.package('1', { title: 'everybody' });
      await server.assign(target);
      await server.tell();
      const devices = await Promise.all(Array.from({ length: 120 }, () => server.device()));
      await server.tell();
      const word = (i: number): string => ['DOWNLOADING', 'VERIFIED', 'FAILED'][i % 3] ?? '';
      await Promise.all(
        devices.map(async (device, i) => {
          const wire = wireOf(device);
          await say(wire, { fw_state: word(i), fw_error: `words of ${i}` });
          await say(wire, { temperature: 20 });
        }),
      );
      const updates = await Promise.all(devices.map(async (device) => (await server.situation(device)).slot.update));
      expect(updates.map((update) => update?.state)).toEqual(devices.map((_, i) => word(i)));
      expect(updates[2]?.error).toBe('words of 2');
      await expectInvariants(server.query);
      await server.unassign('FIRMWARE');
    });

    test('U4 of one device sent at once are applied one after the other', async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      const posts = Array.from({ length: 40 }, (_, i) =>
        wire.postTelemetry(JSON.stringify({ fw_state: i % 2 ? 'DOWNLOADED' : 'DOWNLOADING' })),
      );
      await Promise.all(posts);
      const history = (await server.history(device)).slice(2);
      expect(history.length).toBeGreaterThan(0);
      history.slice(1).forEach((entry, i) => expect(entry).not.toBe(history[i]));
    });

    test('U13 survive connections that the database ends', async () => {
      const { device } = await told(server);
      const wire = wireOf(device);
      const end = (): Promise<unknown> =>
        server.query(
          `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()`,
          [],
        );
      await say(wire, { fw_state: 'DOWNLOADING' });
      const outcomes: unknown[] = [];
      for (const word of ['DOWNLOADED', 'VERIFIED', 'UPDATING', 'UPDATED']) {
        const posted = say(wire, { fw_state: word });
        await end();
        outcomes.push(await posted.catch((error: unknown) => error));
        await say(wire, { fw_state: word });
      }
      // Heard, or where it was the look-up of the device that was cut off, asked to come again.
      const failed = outcomes.filter((outcome) => outcome !== undefined);
      expect(failed).toEqual(failed.map(() => refused('UNAVAILABLE')));
      expect((await server.history(device)).slice(2)).toEqual([
        '2.0 DOWNLOADING',
        '2.0 DOWNLOADED',
        '2.0 VERIFIED',
        '2.0 UPDATING',
        '2.0 UPDATED SUCCEEDED',
      ]);
    });

    test.each([
      ['no JSON', '{"fw_state":'],
      ['no object', '"FAILED"'],
      ['too deep', '['.repeat(1_000)],
      ['a version of 256 characters', JSON.stringify({ fw_state: 'FAILED', current_fw_version: 'v'.repeat(256) })],
      ['one bad entry among good ones', '[{"fw_state":"FAILED"},5]'],
    ])('W4 that are malformed (%s) are refused and change nothing', async (_, text) => {
      const { device } = await told(server);
      await expect(wireOf(device).postTelemetry(text)).rejects.toEqual(refused('VALIDATION'));
      expect((await server.history(device)).at(-1)).toBe('2.0 INITIATED');
    });

    test('W4 with characters that the database cannot store are heard, and harm no other device', async () => {
      const [bad, good] = [await told(server), await told(server)];
      await Promise.all([
        wireOf(bad.device).postTelemetry(
          String.raw`{"fw_state":"FAILED","fw_error":"a\u0000b\ud800","current_fw_version":"9\u0000"}`,
        ),
        wireOf(good.device).postTelemetry('{"fw_state":"DOWNLOADING"}'),
      ]);
      expect((await server.situation(bad.device)).slot).toMatchObject({
        current: { version: '9\uFFFD' },
        update: { state: 'FAILED', error: 'a\uFFFDb\uFFFD' },
      });
      expect((await server.history(good.device)).at(-1)).toBe('2.0 DOWNLOADING');
    });
  });
});
