/**
 * The `demo` command: a server with a fleet in motion, in a directory of its own that goes when it ends. Everything goes through
 * the interfaces that people and devices use. Version after version is assigned, so that there is always something to watch.
 */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { GraphqlClient } from '../support/graphql.ts';
import { ServerProcess } from '../support/server-process.ts';
import { Fleet } from './fleet.ts';
import type { Credential } from './fleet.ts';
import { HttpTransport } from './http-transport.ts';

const ADMIN = { email: 'demo@example.com', password: 'watch-them-fly' };

/** Devices of each profile, and the bytes of its firmware. */
const PROFILES = [
  { name: 'heatpump-hp3', deviceCount: 120, packageBytes: 4_200_000 },
  { name: 'meter-em4', deviceCount: 60, packageBytes: 1_100_000 },
  { name: 'gateway-gx1', deviceCount: 20, packageBytes: 8_400_000 },
] as const;

/** Devices told in ten seconds: slow enough to watch. */
const PACE = { TB_QUEUE_CORE_OTA_PACK_INTERVAL_MS: '10000', TB_QUEUE_CORE_OTA_PACK_SIZE: '25' };

const BEHAVIOUR = { seed: 1, fail: 0.05, speed: 0.2, chunkBytes: 65_536, types: ['FIRMWARE'] } as const;

/** Between two versions of a profile. */
const VERSION_EVERY_MS = 180_000;

const CREATE_DEVICE = `mutation ($name: String!, $deviceProfileId: ID!) {
  createDevice(input: { name: $name, deviceProfileId: $deviceProfileId }) {
    __typename ... on Device { name accessToken } ... on Error { code message }
  }
}`;
const CREATE_PROFILE = `mutation ($name: String!) {
  createDeviceProfile(input: { name: $name }) { __typename ... on DeviceProfile { id } ... on Error { code message } }
}`;
const CREATE_PACKAGE = `mutation ($input: CreateOtaPackageInput!) {
  createOtaPackage(input: $input) { __typename ... on OtaPackage { id } ... on Error { code message } }
}`;
const ASSIGN = `mutation ($packageId: ID!, $deviceProfileId: ID!) {
  assignOtaPackage(input: { packageId: $packageId, deviceProfileId: $deviceProfileId }) {
    __typename ... on Assignment { id } ... on Error { code message }
  }
}`;

const stopped = new AbortController();
// As often as it comes: npm hands on what the terminal has sent to us as well, and whoever died of the second would leave the server.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => stopped.abort());

const dataDir = await mkdtemp(join(tmpdir(), 'aloft-demo-'));
try {
  await run();
} catch (error) {
  // The last line is the server's own, and says what to do: a port that is taken, for example.
  const [line] = String(error instanceof Error ? error.message : error)
    .trim()
    .split('\n')
    .slice(-1);
  process.stderr.write(`demo: ${line}\n`);
  process.exitCode = 1;
} finally {
  await rm(dataDir, { recursive: true, force: true });
}

async function run(): Promise<void> {
  await using server = await ServerProcess.start([process.execPath, '--enable-source-maps', 'dist/server/main.js'], {
    HOST: '127.0.0.1',
    PORT: process.env['PORT'] ?? '8080',
    DATA_DIR: dataDir,
    ADMIN_EMAIL: ADMIN.email,
    ADMIN_PASSWORD: ADMIN.password,
    ...PACE,
  });
  const admin = await new GraphqlClient(server.url.origin).login(ADMIN.email, ADMIN.password);
  const profiles: { id: string; name: string; packageBytes: number }[] = [];
  const credentials: Credential[] = [];
  for (const { name, deviceCount, packageBytes } of PROFILES) {
    const { id } = done(await admin.act(CREATE_PROFILE, { name }));
    profiles.push({ id, name, packageBytes });
    credentials.push(...(await createDevices(admin, id, name, deviceCount)));
  }
  await using fleet = new Fleet({
    credentials,
    transportFor: ({ accessToken }) => new HttpTransport(server.url, accessToken),
    behaviour: BEHAVIOUR,
    startsPerSecond: 50,
    stays: true,
  });
  process.stdout.write(
    `ready ${server.url.origin}\n${fleet.devices.length} simulated devices. Sign in as ${ADMIN.email} with ${ADMIN.password}\nCtrl C ends it and leaves nothing behind.\n`,
  );
  for (let minor = 1; !stopped.signal.aborted; minor += 1) {
    for (const { id, name, packageBytes } of profiles) {
      const version = `4.${minor}.0`;
      const input = { title: name, version, type: 'FIRMWARE', deviceProfileId: id };
      const file = { name: `${name}-${version}.bin`, bytes: new Uint8Array(randomBytes(packageBytes)) };
      const { id: packageId } = done(await admin.uploaded(CREATE_PACKAGE, { input }, file));
      done(await admin.act(ASSIGN, { packageId, deviceProfileId: id }));
    }
    await delay(VERSION_EVERY_MS, undefined, { signal: stopped.signal }).catch(() => {});
  }
}

async function createDevices(
  admin: GraphqlClient,
  deviceProfileId: string,
  of: string,
  count: number,
): Promise<Credential[]> {
  const names = Array.from({ length: count }, (_, index) => `${of}-${String(index + 1).padStart(4, '0')}`);
  const created: Credential[] = [];
  for (const name of names) {
    const { accessToken } = done(await admin.act(CREATE_DEVICE, { name, deviceProfileId }));
    created.push({ name, accessToken });
  }
  return created;
}

/** The answer of a mutation, unless it is a refusal. */
function done<T extends Record<string, any>>(answer: T): T {
  if (answer['code'] !== undefined) throw new Error(`${answer['code']}: ${answer['message']}`);
  return answer;
}
