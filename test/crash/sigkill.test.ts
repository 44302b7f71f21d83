/**
 * The server is killed by SIGKILL again and again, in every fourth round its PostgreSQL too, while a fleet updates itself,
 * operators upload, assign and create, and a subscriber follows. At the end the database and the package store are held
 * against what was acknowledged and what was heard.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { chmod, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Pool } from 'pg';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { openDatabase, queryOn, transaction } from '../../server/adapters/database.ts';
import { readPidFile } from '../../server/adapters/embedded-postgres/postmaster.ts';
import { openDiskPackageStore } from '../../server/adapters/package-store/disk.ts';
import { LIMITS, readConfig } from '../../server/config.ts';
import { createDevice } from '../../server/domain/device.ts';
import type { Query } from '../../server/domain/query.ts';
import { Fleet } from '../fleet/fleet.ts';
import { HttpTransport } from '../fleet/http-transport.ts';
import type { Random } from '../fleet/random.ts';
import { collect } from '../support/collect.ts';
import { document } from '../support/contract.ts';
import { FollowedLog } from '../support/followed-log.ts';
import { GraphqlClient } from '../support/graphql.ts';
import { expectInvariants } from '../support/invariants.ts';
import { MortalServer } from '../support/mortal-server.ts';
import { Operators } from '../support/operators.ts';
import type { AcknowledgedDevice } from '../support/operators.ts';
import { ADMIN } from '../support/server-process.ts';

const SEED = 1;
const KILLS = 24;
const FLEET = 30;
/** Devices that never say a word: they make a walk take several slices. */
const SILENT = 1_500;
const REST_MS = 60_000;

/** Nobody waits for the pace. */
const PACE = { TB_QUEUE_CORE_OTA_PACK_INTERVAL_MS: '1000', TB_QUEUE_CORE_OTA_PACK_SIZE: '1000000' };

let base: string;
let dataDir: string;
let server: MortalServer;
let database: Pool;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'aloft-sigkill-'));
  // Root gives PostgreSQL another account, which must be able to enter.
  await chmod(base, 0o711);
  dataDir = join(base, 'data');
  const temporary = join(base, 'temporary');
  await mkdir(temporary);
  server = await MortalServer.start({ ...PACE, DATA_DIR: dataDir, TMPDIR: temporary });
  const { socketDir: host, port } = (await readPidFile(await server.cluster()))!;
  database = new Pool({ host, port, user: 'aloft', database: 'aloft', application_name: 'test' });
  // It is broken by each kill of PostgreSQL.
  database.on('error', () => undefined);
});

afterEach(async () => {
  if (database && !database.ended) await database.end();
  await server?.end();
  await rm(base, { recursive: true, force: true });
});

test(`U13 U14 U11 P11 ${KILLS} times SIGKILL amid uploads, walks and reports: what was acknowledged is there, once`, async () => {
  const url = server.url.origin;
  const admin = await new GraphqlClient(url).login(ADMIN.email, ADMIN.password);
  const profile = await admin.act(document('CreateDeviceProfile'), { name: 'crash' });
  const ready = (): Promise<void> => server.ready;
  const operators = new Operators(admin, { deviceProfileId: profile.id, seed: SEED, ready });
  const credentials: AcknowledgedDevice[] = [];
  while (credentials.length < FLEET) credentials.push(await operators.createDevice());
  await addSilentDevices(profile.id);
  const log = new FollowedLog(admin, ready);
  await log.until(() => log.hasBegun);

  await using fleet = new Fleet({
    credentials: credentials.map(({ id, accessToken }) => ({ name: id, accessToken })),
    transportFor: ({ accessToken }) => new HttpTransport(server.url, accessToken),
    behaviour: { seed: SEED, fail: 0.1, speed: 20, chunkBytes: null, types: ['FIRMWARE', 'SOFTWARE'] },
    startsPerSecond: 100,
    stays: true,
  });
  const fleetIds = new Set(credentials.map(({ id }) => id));
  const atWork = new AbortController();
  const work = Promise.all([
    changeMinds(operators, atWork.signal),
    updateInTurn(operators, log, fleetIds, atWork.signal),
    upload(operators, atWork.signal),
    addDevices(operators, atWork.signal),
  ]);
  const killing = killAgainAndAgain(operators);
  // What ends early has failed.
  const kills = await Promise.race([killing, work.then(() => killing), log.ended.then(() => killing)]);
  atWork.abort();
  await work;
  await atRest(fleetIds, log);
  await fleet.stop();
  await log.stop();
  await server.stop();

  // The next start sweeps what the kills have left.
  await server.startAgain();
  await expect.poll(() => looseFiles(), { timeout: REST_MS }).toEqual([]);
  await database.end();
  await server.stop();

  const config = { ...readConfig({}), dataDir };
  await using opened = await openDatabase(config, pino({ level: 'silent' }));
  const query = queryOn(opened.pool);
  await expectInvariants(query);
  await expectActs(query, operators);
  await expectBytes(operators);
  await expectReports(query, fleet);
  const told = `SELECT update_id AS "updateId", revision, state::text, device_id AS "deviceId", package_id AS "packageId"
                FROM update_event ORDER BY seq`;
  expect(log.events).toEqual(await query(told, []));

  expect(fleet.summary.refused).toEqual([]);
  // The kills fell where they were meant to.
  expect(kills.total).toBeGreaterThanOrEqual(20);
  expect(kills.ofPostgres).toBeGreaterThanOrEqual(5);
  expect(kills.amidWalks).toBeGreaterThan(0);
  expect(kills.amidUploads).toBeGreaterThan(0);
  expect(operators.lost.upload).toBeGreaterThan(0);
  expect(fleet.summary.triesFailed).toBeGreaterThan(KILLS);
  expect(log.starts).toBeGreaterThan(KILLS);
  console.log(
    `${kills.total} SIGKILLs (${kills.ofPostgres} with PostgreSQL, ${kills.amidWalks} amid walks, ${kills.amidUploads} amid uploads); acknowledged and found: ` +
      `${operators.packages.length} packages, ${operators.assignments.length} assignments, ${operators.devices.length} devices, ` +
      `${fleet.summary.reportsAcknowledged} reports; ${log.events.length} events heard once and in order`,
  );
});

async function addSilentDevices(deviceProfileId: string): Promise<void> {
  const [tenant] = (await database.query<{ id: string }>('SELECT id FROM tenant')).rows;
  const actor = { tenantId: tenant!.id, userId: null, customerId: null };
  await transaction(database, async (query) => {
    for (let n = 0; n < SILENT; n += 1)
      await createDevice(query, actor, { name: `silent ${n}`, deviceProfileId }, new Date());
  });
}

/** Firmware: assigns one package after another, whatever the fleet is doing, to the profile and to single devices. */
async function changeMinds(operators: Operators, signal: AbortSignal): Promise<void> {
  const random = operators.random('change minds');
  const packages = [await operators.upload('FIRMWARE', random), await operators.upload('FIRMWARE', random)];
  for (let turn = 0; !signal.aborted; turn += 1) {
    if (turn % 7 === 6) packages[turn % 2] = await operators.upload('FIRMWARE', random);
    await operators.assignToProfile(packages[turn % 2]!.id);
    const one = operators.devices[random.integer(FLEET, operators.devices.length - 1)];
    if (one !== undefined) await operators.assign(packages[0]!.id, { deviceId: one.id });
    await pause(random, 300, 1_500, signal);
  }
}

/** Software: the next package is assigned when the whole fleet has finished with the former one. */
async function updateInTurn(
  operators: Operators,
  log: FollowedLog,
  fleetIds: ReadonlySet<string>,
  signal: AbortSignal,
): Promise<void> {
  const random = operators.random('update in turn');
  while (!signal.aborted) {
    const { id } = await operators.upload('SOFTWARE', random);
    await operators.assignToProfile(id);
    const left = new Set(fleetIds);
    let seen = 0;
    await log.until(() => {
      for (; seen < log.events.length; seen += 1) {
        const { packageId, state, deviceId } = log.events[seen]!;
        if (packageId === id && (state === 'UPDATED' || state === 'FAILED')) left.delete(deviceId);
      }
      // Once work ends, the rest of the fleet is looked at, and whoever does not come to it is named.
      return left.size === 0 || signal.aborted;
    });
  }
}

async function upload(operators: Operators, signal: AbortSignal): Promise<void> {
  const random = operators.random('upload');
  while (!signal.aborted) {
    await operators.upload(random.pick(['FIRMWARE', 'SOFTWARE']), random);
    await pause(random, 0, 300, signal);
  }
}

async function addDevices(operators: Operators, signal: AbortSignal): Promise<void> {
  const random = operators.random('add devices');
  while (!signal.aborted) {
    await operators.createDevice();
    await pause(random, 0, 200, signal);
  }
}

interface Kills {
  total: number;
  ofPostgres: number;
  amidWalks: number;
  amidUploads: number;
}

async function killAgainAndAgain(operators: Operators): Promise<Kills> {
  const random = operators.random('kill');
  const kills: Kills = { total: 0, ofPostgres: 0, amidWalks: 0, amidUploads: 0 };
  for (; kills.total < KILLS; kills.total += 1) {
    await momentOf(kills.total, operators, random);
    const isWalking = await anyWalks();
    const withPostgres = random.pick(['Aloft first', 'PostgreSQL first']);
    const isPostgresToo = kills.total % 4 === 3;
    if (operators.uploadsUnderWay > 0) kills.amidUploads += 1;
    await server.kill(isPostgresToo ? withPostgres : 'Aloft alone', random.fraction());
    if (isWalking) kills.amidWalks += 1;
    if (isPostgresToo) kills.ofPostgres += 1;
    await server.startAgain();
  }
  return kills;
}

/** In turn: at any moment, soon after an upload has begun, soon after an assignment was acknowledged. */
async function momentOf(round: number, { moments }: Operators, random: Random): Promise<void> {
  if (round % 3 === 0) await delay(random.integer(500, 2_500));
  else if (round % 3 === 1) await once(moments, 'uploading').then(() => delay(random.integer(0, 80)));
  else await once(moments, 'assigned').then(() => delay(random.integer(0, 150)));
}

async function anyWalks(): Promise<boolean> {
  return (await database.query('SELECT 1 FROM assignment WHERE walking')).rows.length > 0;
}

/** Nothing is left to walk, to tell or to install, and the subscriber has heard the last of it. */
async function atRest(fleetIds: ReadonlySet<string>, log: FollowedLog): Promise<void> {
  const restless = `SELECT 'walks' FROM assignment WHERE walking
    UNION SELECT 'waits' FROM slot WHERE state = 'QUEUED'
    UNION SELECT concat_ws(' ', device_id, type, state) FROM slot WHERE device_id = ANY($1::uuid[]) AND state NOT IN ('UPDATED', 'FAILED')`;
  // A device that let a delivered offer pass hears of it again after offerRepeatMs, five minutes: until then it rests as well.
  const busy = `${restless} AND NOT (state = 'INITIATED' AND delivered_offer = "offer")`;
  const patientUntil = performance.now() + REST_MS / 2;
  const look = async (): Promise<unknown[]> =>
    (await database.query(performance.now() < patientUntil ? restless : busy, [[...fleetIds]])).rows;
  await expect.poll(look, { timeout: REST_MS, interval: 200 }).toEqual([]);
  const count = async (): Promise<number> =>
    (await database.query<{ count: number }>('SELECT count(*)::int FROM update_event')).rows[0]!.count;
  await expect.poll(async () => log.events.length - (await count()), { timeout: REST_MS }).toBeGreaterThanOrEqual(0);
}

/** Files of the package store that no package refers to, and what is on its way in. */
async function looseFiles(): Promise<string[]> {
  const { rows } = await database.query<{ sha256: string }>(
    `SELECT encode(sha256, 'hex') AS sha256 FROM ota_package WHERE sha256 IS NOT NULL`,
  );
  const known = new Set(rows.map(({ sha256 }) => sha256));
  const files = await readdir(join(dataDir, 'packages'), { recursive: true, withFileTypes: true });
  const spooled = await readdir(join(base, 'temporary'));
  const stored = files.filter((entry) => entry.isFile()).map(({ parentPath, name }) => parentPath.slice(-2) + name);
  return [...stored.filter((sha256) => !known.has(sha256)), ...spooled.filter((name) => name.startsWith('capacitor'))];
}

async function expectActs(query: Query, { packages, assignments, devices }: Operators): Promise<void> {
  const ids = (things: readonly { readonly id: string }[]): string[] =>
    [...new Set(things.map(({ id }) => id))].toSorted();
  const byId = (a: { id: string }, b: { id: string }): number => (a.id < b.id ? -1 : 1);
  expect(
    await query(
      `SELECT id, encode(sha256, 'hex') AS sha256, data_size::int AS size FROM ota_package WHERE id = ANY($1::uuid[]) ORDER BY id`,
      [ids(packages)],
    ),
  ).toEqual(packages.toSorted(byId));
  const unique = new Map(assignments.map((assignment) => [assignment.id, assignment]));
  expect(
    await query(
      `SELECT id, package_id AS "packageId", device_profile_id AS "deviceProfileId", device_id AS "deviceId"
       FROM assignment WHERE id = ANY($1::uuid[]) ORDER BY id`,
      [ids(assignments)],
    ),
  ).toEqual([...unique.values()].toSorted(byId));
  expect(
    await query('SELECT id, name FROM device WHERE id = ANY($1::uuid[]) AND deleted_at IS NULL ORDER BY id', [
      ids(devices),
    ]),
  ).toEqual(devices.map(({ id, name }) => ({ id, name })).toSorted(byId));
}

async function expectBytes({ packages }: Operators): Promise<void> {
  await using store = await openDiskPackageStore(join(dataDir, 'packages'), LIMITS);
  for (const { sha256, size } of packages) {
    const bytes = Buffer.concat(await collect<Buffer>(await store.open(sha256)));
    expect([bytes.length, createHash('sha256').update(bytes).digest('hex')]).toEqual([size, sha256]);
  }
}

/**
 * Of the software, which is assigned when nobody is busy with it, the log has each acknowledged report, once and in order: a
 * report that was said again after its acknowledgement was lost moves nothing. Firmware changes under the devices' hands,
 * so that a report may come too late to move anything; what runs is recorded in any case.
 */
async function expectReports(query: Query, fleet: Fleet): Promise<void> {
  const reported = await query<{ deviceId: string; states: string[] }>(
    `SELECT device_id AS "deviceId", array_agg(concat_ws(': ', state::text, error) ORDER BY seq) AS states FROM update_event
     WHERE type = 'SOFTWARE' AND state NOT IN ('QUEUED', 'INITIATED') AND device_id = ANY($1::uuid[]) GROUP BY device_id`,
    [fleet.devices.map(({ name }) => name)],
  );
  const said = fleet.devices.map(({ name, reports }) => {
    const software = reports.filter(({ type, state }) => type === 'SOFTWARE' && state !== null);
    return [name, software.map(({ state, error }) => (error === null ? state : `${state}: ${error}`))];
  });
  expect(Object.fromEntries(reported.map(({ deviceId, states }) => [deviceId, states]))).toEqual(
    Object.fromEntries(said),
  );

  const running = await query<{ key: string; current: unknown }>(
    `SELECT device_id || ' ' || type AS key, jsonb_build_object('title', current_title, 'version', current_version) AS current
     FROM slot WHERE device_id = ANY($1::uuid[])`,
    [fleet.devices.map(({ name }) => name)],
  );
  const saidToRun = fleet.devices.flatMap(({ name, reports }) =>
    reports.map(({ type, current: { title, version } }) => [`${name} ${type}`, { title, version }]),
  );
  expect(Object.fromEntries(running.map(({ key, current }) => [key, current]))).toEqual(Object.fromEntries(saidToRun));
}

async function pause(random: Random, minMs: number, maxMs: number, signal: AbortSignal): Promise<void> {
  await delay(random.integer(minMs, maxMs), undefined, { signal }).catch(() => undefined);
}
