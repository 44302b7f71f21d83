import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { SimulatedDevice } from '../fleet/device.ts';
import type { Behaviour } from '../fleet/device.ts';
import { HttpTransport } from '../fleet/http-transport.ts';
import { randomOf } from '../fleet/random.ts';
import { Refused } from '../fleet/transport.ts';
import { StandIn } from './fleet-stand-in.ts';

const IMAGE = randomBytes(50_000);
const ALL_STATES = ['DOWNLOADING', 'DOWNLOADED', 'VERIFIED', 'UPDATING', 'UPDATED'];
const BEHAVIOUR: Behaviour = { seed: 1, fail: 0, speed: 1_000, chunkBytes: 4_096, types: ['FIRMWARE'] };

/** A device that is switched on, and off with the block. */
function powered(server: StandIn, behaviour: Partial<Behaviour> = {}, token = 'token-1') {
  const transport = new HttpTransport(server.url, token);
  const device = new SimulatedDevice({ name: token, index: 0 }, { ...BEHAVIOUR, ...behaviour }, transport);
  const switchOn = () => {
    const power = new AbortController();
    return { power, off: device.run(power.signal) };
  };
  let current = switchOn();
  return {
    device,
    off: current.off,
    async switchOff(): Promise<void> {
      current.power.abort();
      await current.off;
    },
    switchOn(): void {
      current = switchOn();
    },
    async [Symbol.asyncDispose](): Promise<void> {
      current.power.abort();
      await current.off.catch(() => {});
      await transport[Symbol.asyncDispose]();
    },
  };
}

test('goes every step, asks one chunk past the end, and reports what it runs with each state', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  await using powerOn = powered(server, { seed: 3 });
  const { device } = powerOn;
  await device.until(({ reports }) => reports.length === 1);
  const factory = device.current('FIRMWARE');
  seen.assign('fw', '2.0', IMAGE);
  await device.until(() => device.standing('FIRMWARE') === 'UPDATED');

  expect(seen.telemetry).toEqual([
    { current_fw_title: factory.title, current_fw_version: factory.version },
    ...ALL_STATES.slice(0, -1).map((fw_state) => ({
      current_fw_title: factory.title,
      current_fw_version: factory.version,
      fw_state,
    })),
    { current_fw_title: 'thermostat', current_fw_version: '2.0', fw_state: 'UPDATED' },
  ]);
  expect(device.reports.map(({ state }) => state)).toEqual([null, ...ALL_STATES]);
  expect(device.current('FIRMWARE')).toEqual({ title: 'thermostat', version: '2.0' });
  expect(seen.chunksServed.map(({ index }) => index)).toEqual([...Array(14).keys()]);
  expect(seen.chunksServed.map(({ bytes }) => bytes)).toEqual([...Array(12).fill(4_096), 50_000 % 4_096, 0]);
  expect(seen.attributeQueries[0]?.getAll('sharedKeys')).toContain('fw_checksum_algorithm');
});

test('takes up what was announced while it was off', async () => {
  await using server = await new StandIn().open();
  server.device('token-1').assign('fw', '2.0', IMAGE);
  await using powerOn = powered(server);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'UPDATED');
  await powerOn.switchOff();
  powerOn.switchOn();
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'CURRENT');
  expect(server.device('token-1').states('fw')).toEqual(ALL_STATES);
});

test('a checksum that does not fit ends FAILED with both in its words, and it goes on as before', async () => {
  await using server = await new StandIn().open();
  server.device('token-1').assign('fw', '2.0', IMAGE, 'ab'.repeat(32));
  await using powerOn = powered(server);
  const { device } = powerOn;
  const factory = device.current('FIRMWARE');
  await device.until(() => device.standing('FIRMWARE') === 'FAILED');
  expect(device.reports.at(-1)?.error).toMatch(/^Checksum mismatch: SHA256 is [0-9a-f]{64}, (ab){32} announced$/);
  expect(device.reports.map(({ state }) => state)).toEqual([null, 'DOWNLOADING', 'DOWNLOADED', 'FAILED']);
  expect(device.current('FIRMWARE')).toEqual(factory);

  server.device('token-1').assign('fw', '2.1', IMAGE);
  await device.until(() => device.standing('FIRMWARE') === 'UPDATED');
});

test('what failed is tried again only when it is pushed again', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  seen.assign('fw', '2.0', IMAGE, 'ab'.repeat(32));
  await using powerOn = powered(server);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'FAILED');
  seen.assign('fw', '2.0', IMAGE);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'UPDATED');
  expect(seen.states('fw')).toEqual(['DOWNLOADING', 'DOWNLOADED', 'FAILED', ...ALL_STATES]);
});

test('outages, cut connections and a restart cost nothing that was acknowledged', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  const random = randomOf(7, 'faults');
  server.fault = () => (random.chance(0.3) ? random.pick(['unavailable', 'cut', 'cut after applying']) : null);
  await using powerOn = powered(server, { chunkBytes: 10_000 });
  const { device } = powerOn;
  seen.assign('fw', '2.0', IMAGE);
  await device.until(() => device.standing('FIRMWARE') === 'DOWNLOADING');
  await server.close();
  await server.open();
  await device.until(() => device.standing('FIRMWARE') === 'UPDATED');

  expect(device.reports.map(({ state }) => state)).toEqual([null, ...ALL_STATES]);
  // Said again where the acknowledgement was lost, never out of order.
  expect(withoutRepeats(seen.states('fw'))).toEqual(ALL_STATES);
});

test('a report counts once it is acknowledged, and is said again until then', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  let isFirst = true;
  server.fault = ({ url = '' }) => {
    if (!url.endsWith('/telemetry') || seen.states('fw').length > 0) return null;
    const fault = isFirst ? null : 'cut after applying';
    isFirst = false;
    return fault;
  };
  await using powerOn = powered(server);
  seen.assign('fw', '2.0', IMAGE);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'UPDATED');
  expect(seen.states('fw')).toEqual(['DOWNLOADING', ...ALL_STATES]);
  expect(powerOn.device.reports.map(({ state }) => state)).toEqual([null, ...ALL_STATES]);
});

test('another assignment in mid-download: the first is left without a word, and no bytes are mixed', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  const [first, second] = [randomBytes(60_000), randomBytes(60_000)];
  await using powerOn = powered(server, { chunkBytes: 600, speed: 20 });
  seen.assign('fw', '2.0', first);
  await powerOn.device.until(() => seen.chunksServed.length > 3);
  seen.assign('fw', '3.0', second);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'UPDATED');

  expect(seen.states('fw')).toEqual(['DOWNLOADING', ...ALL_STATES]);
  expect(powerOn.device.current('FIRMWARE').version).toBe('3.0');
  expect(seen.chunksServed.filter(({ version }) => version === '2.0').length).toBeLessThan(100);
  expect(seen.chunksServed.filter(({ version }) => version === '3.0').length).toBe(101);
});

test('unassigned in mid-download: it waits, and says nothing', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  await using powerOn = powered(server, { chunkBytes: 600, speed: 20 });
  seen.assign('fw', '2.0', IMAGE);
  await powerOn.device.until(() => seen.chunksServed.length > 3);
  seen.unassign('fw');
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'WAITING');
  expect(seen.states('fw')).toEqual(['DOWNLOADING']);
});

test('firmware and software go side by side', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  seen.assign('fw', '2.0', IMAGE);
  seen.assign('sw', '5.0', randomBytes(9_999));
  await using powerOn = powered(server, { types: ['FIRMWARE', 'SOFTWARE'] });
  await powerOn.device.until((device) => device.hasEnded);
  expect(seen.states('fw')).toEqual(ALL_STATES);
  expect(seen.states('sw')).toEqual(ALL_STATES);
});

test('power lost in mid-download: it begins anew with what it runs', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  seen.assign('fw', '2.0', IMAGE);
  await using powerOn = powered(server, { chunkBytes: 600, speed: 20 });
  await powerOn.device.until(() => seen.chunksServed.length > 3);
  await powerOn.switchOff();
  powerOn.switchOn();
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'UPDATED');
  expect(powerOn.device.reports.map(({ state }) => state)).toEqual([null, 'DOWNLOADING', null, ...ALL_STATES]);
});

test('an unknown access token ends the device with the refusal', async () => {
  await using server = await new StandIn().open();
  await using powerOn = powered(server, {}, 'nobody');
  await expect(powerOn.off).rejects.toThrow(Refused);
  await expect(powerOn.off).rejects.toThrow('HTTP 401 Unknown access token.');
});

test('a refused chunk ends FAILED with the words of the refusal', async () => {
  await using server = await new StandIn().open();
  const seen = server.device('token-1');
  seen.assign('fw', '2.0', IMAGE);
  seen.images.clear();
  await using powerOn = powered(server);
  await powerOn.device.until((device) => device.standing('FIRMWARE') === 'FAILED');
  expect(powerOn.device.reports.at(-1)?.error).toBe('Download of chunk 0 refused: HTTP 404 No such package.');
});

function withoutRepeats(states: readonly unknown[]): unknown[] {
  return states.filter((state, index) => state !== states[index - 1]);
}
