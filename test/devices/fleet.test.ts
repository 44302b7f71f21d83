import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import type { Report } from '../fleet/reporter.ts';
import { Fleet } from '../fleet/fleet.ts';
import { HttpTransport } from '../fleet/http-transport.ts';
import type { PackageType } from '../fleet/transport.ts';
import { DeviceServer } from '../support/device-server.ts';
import type { TestDevice } from '../support/device-server.ts';
import { expectInvariants } from '../support/invariants.ts';

const DEVICES = 30;
const TYPES: readonly PackageType[] = ['FIRMWARE', 'SOFTWARE'];

test('U3 U4 U7 W2 a fleet updates firmware and software side by side: the history is what was acknowledged', async () => {
  await using server = await DeviceServer.open();
  const devices: TestDevice[] = [];
  while (devices.length < DEVICES) devices.push(await server.device());
  await using fleet = new Fleet({
    credentials: devices.map(({ id, accessToken }) => ({ name: id, accessToken })),
    transportFor: ({ accessToken }) => new HttpTransport(new URL(server.url), accessToken),
    behaviour: { seed: 1, fail: 0.3, speed: 1_000, chunkBytes: null, types: TYPES },
    startsPerSecond: 500,
    stays: false,
  });
  await server.assign(await server.package('2.0', { bytes: randomBytes(40_000) }));
  await server.assign(await server.package('5.0', { type: 'SOFTWARE', bytes: randomBytes(9_999) }));
  await server.tell();
  await fleet.ended;

  const { standings, refused } = fleet.summary;
  expect(refused).toEqual([]);
  expect(standings.UPDATED + standings.FAILED).toBe(DEVICES * TYPES.length);
  expect(standings.FAILED).toBeGreaterThan(5);
  const acknowledged = fleet.devices.flatMap(({ name, reports }) =>
    TYPES.map((type) => [`${name} ${type}`, ['QUEUED', 'INITIATED', ...said(reports, type)]]),
  );
  expect(await historyOf(server)).toEqual(Object.fromEntries(acknowledged));
  await expectInvariants(server.query);
});

/** Each state that was acknowledged, with the device's words where it has any. */
function said(reports: readonly Report[], type: PackageType): string[] {
  return reports
    .filter((report) => report.type === type && report.state !== null)
    .map(({ state, error }) => (error === null ? `${state}` : `${state}: ${error}`));
}

/** The same of every device and type, by the log. */
async function historyOf(server: DeviceServer): Promise<Record<string, string[]>> {
  const rows = await server.query<{ key: string; states: string[] }>(
    `SELECT device_id || ' ' || type AS key, array_agg(concat_ws(': ', state::text, error) ORDER BY seq) AS states
     FROM update_event GROUP BY device_id, type`,
    [],
  );
  return Object.fromEntries(rows.map(({ key, states }) => [key, states]));
}
