/** How a server starts, ends and refuses to start: what operators and their scripts rely on. */
import { once } from 'node:events';
import { chmod, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { document } from '../support/contract.ts';
import { emptyDatabase } from '../support/database.ts';
import { GraphqlClient } from '../support/graphql.ts';
import { ADMIN, SERVER, ServerProcess } from '../support/server-process.ts';
import type { Ended } from '../support/server-process.ts';
import { Subscription } from '../support/subscription.ts';

const END_MS = 10_000;
const SECRET = 'hunter2-and-more';
/** Longer than what the sockets of both sides take in before the reader reads. */
const DOWNLOAD_BYTES = 64 * 2 ** 20;

let base: string;
/** A database with which a server starts fast. */
let database: Awaited<ReturnType<typeof emptyDatabase>>;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'aloft-start-'));
  // Root gives PostgreSQL another account, which must be able to enter.
  await chmod(base, 0o711);
  database = await emptyDatabase();
});

afterAll(async () => {
  await database?.[Symbol.asyncDispose]();
  await rm(base, { recursive: true, force: true });
});

describe('a start', () => {
  test('says ready with the URL, is healthy, ends on SIGTERM, and starts again; the first password is told once', async () => {
    const settings = { DATA_DIR: join(base, 'first'), ADMIN_EMAIL: 'Ada@Example.com', ADMIN_PASSWORD: '' };
    await using first = await ServerProcess.start(SERVER, settings);
    const [, email = '', password = ''] = /^first sign-in: (\S+) with the password (\S+) \(shown once\)$/m.exec(
      first.stdout,
    )!;
    expect(email).toBe('ada@example.com');
    expect(linesOf(first.stdout).filter((line) => line.startsWith('ready '))).toEqual([`ready ${first.url.origin}`]);
    const health = await fetch(new URL('/health', first.url));
    expect([health.status, await health.json()]).toEqual([200, { status: 'ok' }]);
    await new GraphqlClient(first.url.origin).login(email, password);
    const ended = await endOf(first);
    expect(ended).toMatchObject({ code: 0, stderr: '' });

    await using second = await ServerProcess.start(SERVER, settings);
    expect(second.stdout).not.toContain('password');
    await new GraphqlClient(second.url.origin).login(email, password);
    expect((await endOf(second)).stdout).not.toContain(password);
  });

  test('listens where HOST says, and takes the old names of the pace', async () => {
    await using server = await ServerProcess.start(SERVER, {
      DATA_DIR: join(base, 'elsewhere'),
      DATABASE_URL: database.url,
      HOST: '127.0.0.2',
      TB_QUEUE_CORE_FW_PACK_SIZE: '7',
      TB_QUEUE_CORE_FW_PACK_INTERVAL_MS: '1000',
    });
    expect(server.url.hostname).toBe('127.0.0.2');
    expect((await fetch(new URL('/health', server.url))).status).toBe(200);
  });

  test('ends cleanly in time while devices poll and download and people follow the log', async () => {
    await using server = await ServerProcess.start(SERVER, { DATA_DIR: join(base, 'busy') });
    const url = server.url.origin;
    const admin = await new GraphqlClient(url).login(ADMIN.email, ADMIN.password);
    const { id: deviceProfileId } = await admin.act(document('CreateDeviceProfile'), { name: 'busy' });
    const { accessToken } = await admin.act(document('CreateDevice'), { name: 'busy', deviceProfileId });
    const idle = await admin.act(document('CreateDevice'), { name: 'idle', deviceProfileId });
    const input = { title: 'large', version: '1', type: 'FIRMWARE', deviceProfileId };
    const file = { name: 'large.bin', bytes: Buffer.alloc(DOWNLOAD_BYTES, 1) };
    const { id: packageId } = await admin.uploaded(document('CreateOtaPackage'), { input }, file);

    const socket = admin.socket();
    const closed = new Promise((resolve) => socket.on('closed', resolve));
    using subscription = new Subscription(socket, document('UpdateEvents'));
    await subscription.next();
    await admin.act(document('AssignOtaPackage'), { packageId, deviceProfileId });
    const told = new Set<string>();
    await subscription.until(({ events }) => {
      for (const { state, device } of events) if (state === 'INITIATED') told.add(device.id);
      return told.size === 2;
    });
    // The first poll is answered with what was assigned; the second waits.
    const poll = `${url}/api/v1/${idle.accessToken}/attributes/updates?timeout=300000`;
    expect((await fetch(poll)).status).toBe(200);
    const polling = get(poll);
    const download = await get(`${url}/api/v1/${accessToken}/firmware?title=large&version=1`);
    expect(download.statusCode).toBe(200);
    await once(download, 'readable');

    const ending = endOf(server);
    // The reader has stopped reading; when it is cut off, it is told so.
    const cut = once(download, 'error');
    expect(await ending).toMatchObject({ code: 0, stderr: '' });
    expect((await polling).statusCode).toBe(408);
    await closed;
    download.resume();
    await cut;
  });
});

describe('a start that fails ends with exit code 1 and one line on standard error', () => {
  test('PORT is taken', async () => {
    await using taken = await listening();
    const PORT = String(taken.port);
    const line = await refusal({ DATA_DIR: join(base, 'port'), PORT });
    expect(line).toMatch(
      new RegExp(`^PORT=${PORT} is taken; .*choose another port.* \\(on HOST=127\\.0\\.0\\.1\\)\\.$`),
    );
  });

  test.each([
    ['PORT', 'http'],
    ['PORT', '65536'],
    ['PORT', '-1'],
    ['TB_QUEUE_CORE_OTA_PACK_INTERVAL_MS', '60s'],
    ['TB_QUEUE_CORE_OTA_PACK_SIZE', '0'],
    ['TB_QUEUE_CORE_FW_PACK_INTERVAL_MS', '1.5'],
    ['TB_QUEUE_CORE_FW_PACK_SIZE', 'many'],
    ['OTA_PACKAGE_BYTES_MAX', '2GB'],
  ])('%s=%s does not parse', async (name, value) => {
    const line = await refusal({ DATA_DIR: join(base, 'unused'), [name]: value });
    expect(line).toMatch(
      new RegExp(`^${name}=${value} is not a whole number from \\d+ to \\d+; correct it or unset it`),
    );
  });

  test('PACKAGE_STORE is a bucket, which is not possible yet', async () => {
    const line = await refusal({ DATA_DIR: join(base, 'unused'), PACKAGE_STORE: 's3://bucket/prefix' });
    expect(line).toBe(
      'PACKAGE_STORE=s3://bucket/prefix is not possible yet: packages are files below DATA_DIR; unset it.',
    );
  });

  test('ADMIN_EMAIL is none', async () => {
    const line = await refusal({ DATA_DIR: join(base, 'unused'), ADMIN_EMAIL: 'admin' });
    expect(line).toMatch(/^ADMIN_EMAIL=admin is not an e-mail address; correct it or unset it/);
  });

  test.each(['192.0.2.1', 'no.such.host.invalid'])('HOST=%s is not of this machine', async (HOST) => {
    const line = await refusal({ DATA_DIR: join(base, 'host'), DATABASE_URL: database.url, HOST });
    expect(line).toBe(`HOST=${HOST} is no address of this machine; correct it or unset it (default 0.0.0.0).`);
  });

  test('DATABASE_URL names a server that does not answer', async () => {
    const port = await closedPort();
    const DATABASE_URL = `postgresql://ada:${SECRET}@127.0.0.1:${port}/fleet`;
    const line = await refusal({ DATA_DIR: join(base, 'unused'), DATABASE_URL });
    expect(line).toMatch(
      new RegExp(
        `^DATABASE_URL=postgresql://ada@127\\.0\\.0\\.1:${port}/fleet cannot be used: .*; start that server or correct`,
      ),
    );
  });

  test.each([
    `mysql://ada:${SECRET}@127.0.0.1/fleet`,
    `ada:${SECRET}@127.0.0.1/fleet`,
    SECRET,
    `postgresql://ada:${SECRET}@127.0.0.1:port/fleet`,
    `postgresql://ada:${SECRET}@[::/fleet`,
  ])('DATABASE_URL=%s does not parse', async (DATABASE_URL) => {
    const line = await refusal({ DATA_DIR: join(base, 'unused'), DATABASE_URL });
    expect(line).toMatch(/^DATABASE_URL.*postgresql:\/\//);
  });

  test.each(['the embedded database', 'DATABASE_URL'])('DATA_DIR is not writable, with %s', async (kind) => {
    // Not even root makes a directory below a file.
    const file = join(base, 'file');
    await writeFile(file, '');
    const DATA_DIR = join(file, 'data');
    const line = await refusal({ DATA_DIR, ...(kind === 'DATABASE_URL' && { DATABASE_URL: database.url }) });
    expect(line).toMatch(new RegExp(`^DATA_DIR=${DATA_DIR} cannot .*: .*; .*set DATA_DIR to another directory`));
  });
});

/** The one line, which holds no secret. */
async function refusal(settings: Record<string, string>): Promise<string> {
  const { code, stdout, stderr } = await ServerProcess.failToStart(settings);
  expect(code, stderr).toBe(1);
  expect(stdout).not.toMatch(/^ready /m);
  expect(stdout + stderr).not.toContain(SECRET.slice(0, 3));
  const lines = linesOf(stderr);
  expect(lines).toHaveLength(1);
  return lines[0]!;
}

/** On SIGTERM. */
async function endOf(server: ServerProcess): Promise<Ended> {
  const askedAt = performance.now();
  process.kill(server.pid, 'SIGTERM');
  const ended = await server.ended;
  expect(performance.now() - askedAt).toBeLessThan(END_MS);
  return ended;
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** The answer's head; its body waits to be read. */
async function get(url: string): Promise<IncomingMessage> {
  const [answer]: IncomingMessage[] = await once(request(url).end(), 'response');
  return answer!;
}

async function listening(): Promise<AsyncDisposable & { readonly port: number }> {
  const server = createServer();
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void (await once(server.close(), 'close')) };
}

/** Nobody listens there. */
async function closedPort(): Promise<number> {
  await using server = await listening();
  return server.port;
}
