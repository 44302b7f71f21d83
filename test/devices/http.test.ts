/** What only HTTP says: statuses, headers, parameters, bodies, connections. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DeviceServer } from '../support/device-server.ts';
import type { TestDevice } from '../support/device-server.ts';
import { newTitle, told } from './world.ts';

const BODY_BYTES_MAX = 65_536;
/** For what comes soon, also on a machine that is busy. */
const PATIENCE = { timeout: 10_000 };

let server: DeviceServer;

beforeAll(async () => {
  server = await DeviceServer.open({ flushIntervalMs: 50, deviceBodyTimeoutMs: 300 });
});

afterAll(() => server[Symbol.asyncDispose]());

function at(accessToken: string, resource: string): string {
  return `${server.url}/api/v1/${accessToken}/${resource}`;
}

async function errorOf(answer: Response): Promise<{ status: number; body: unknown }> {
  expect(answer.headers.get('content-type')).toBe('application/json');
  return { status: answer.status, body: await answer.json() };
}

describe('telemetry and attributes', () => {
  test.each(['telemetry', 'attributes'])('W1 POST /%s answers 200 and an empty body', async (resource) => {
    const { accessToken } = await server.device();
    const answer = await fetch(at(accessToken, resource), { method: 'POST', body: '{"a":1}' });
    expect([answer.status, await answer.text(), answer.headers.get('content-length')]).toEqual([200, '', '0']);
  });

  test.each(['telemetry', 'attributes'])(
    'W4 POST /%s of what is no JSON answers 400 and says why',
    async (resource) => {
      const { accessToken } = await server.device();
      for (const body of ['', '{"a":', 'fw_state=FAILED', '\u0000']) {
        const { status, body: said } = await errorOf(await fetch(at(accessToken, resource), { method: 'POST', body }));
        expect(status).toBe(400);
        expect(said).toEqual({ status: 400, message: expect.stringContaining('not JSON') as string });
      }
    },
  );

  test('W1 GET /attributes takes keys by comma and as repeated parameters', async () => {
    const { device, target } = await told(server);
    await fetch(at(device.accessToken, 'attributes'), { method: 'POST', body: '{"a":1,"b":2,"c":3}' });
    const get = async (query: string): Promise<unknown> =>
      (await fetch(at(device.accessToken, `attributes${query}`))).json();
    const title = { fw_title: target.title };
    expect(await get('?sharedKeys=fw_title,fw_size')).toEqual({ shared: { ...title, fw_size: target.bytes.length } });
    expect(await get('?sharedKeys=fw_title&sharedKeys=fw_size')).toEqual(await get('?sharedKeys=fw_title,fw_size'));
    expect(await get('?clientKeys=a,b&clientKeys=c&sharedKeys=fw_title')).toEqual({
      client: { a: 1, b: 2, c: 3 },
      shared: title,
    });
    expect(await get('?clientKeys=x&sharedKeys=')).toEqual({});
    expect(await get('?clientKeys=&sharedKeys=')).toEqual(await get(''));
    expect(await get('')).toMatchObject({ client: { a: 1 }, shared: title });
  });
});

test('U12 GET /attributes gives numbers back digit by digit', async () => {
  const { accessToken } = await server.device();
  await fetch(at(accessToken, 'attributes'), { method: 'POST', body: '{"rpm":12345678901234567890,"version":1.10}' });
  expect(await (await fetch(at(accessToken, 'attributes'))).text()).toBe(
    '{"client":{"rpm":12345678901234567890,"version":1.10}}',
  );
});

describe('the long poll', () => {
  test('W1 answers 408 after its time, with the JSON of every refusal', async () => {
    const { accessToken } = await server.device();
    const answer = await errorOf(await fetch(at(accessToken, 'attributes/updates?timeout=50')));
    expect(answer).toEqual({ status: 408, body: { status: 408, message: expect.any(String) as string } });
  });

  test.each(['soon', '-1', '1.5', '', '1e3', '%31%20'])('W4 with the timeout %s answers 400', async (timeout) => {
    const { accessToken } = await server.device();
    expect((await fetch(at(accessToken, `attributes/updates?timeout=${timeout}`))).status).toBe(400);
  });

  test('W1 waits by its default and not beyond its maximum', async () => {
    await using hasty = await DeviceServer.open({ longPollDefaultMs: 60, longPollMaxMs: 120 });
    const { accessToken } = await hasty.device();
    for (const query of ['', '?timeout=0', '?timeout=99999999999999999999']) {
      expect((await fetch(`${hasty.url}/api/v1/${accessToken}/attributes/updates${query}`)).status).toBe(408);
    }
  });

  /** Waits in a place that somebody else may have at first. */
  async function waitIn(of: DeviceServer, { accessToken }: TestDevice, signal?: AbortSignal): Promise<number> {
    for (;;) {
      const url = `${of.url}/api/v1/${accessToken}/attributes/updates?timeout=60000`;
      const { status } = await fetch(url, { signal: signal ?? null });
      if (status !== 503) return status;
    }
  }

  /** Looks for a place and leaves it at once. */
  function glance(of: DeviceServer, { accessToken }: TestDevice): Promise<Response> {
    return fetch(`${of.url}/api/v1/${accessToken}/attributes/updates?timeout=1`);
  }

  test('W4 gives its place back when the device goes away', async () => {
    await using small = await DeviceServer.open({ longPollsMax: 2 });
    const [one, other] = [await small.device(), await small.device()];
    const gone = new AbortController();
    const waiting = Promise.allSettled([waitIn(small, one, gone.signal), waitIn(small, one, gone.signal)]);
    await expect.poll(async () => (await glance(small, other)).status, PATIENCE).toBe(503);
    expect((await glance(small, other)).headers.get('retry-after')).toBe('1');
    gone.abort();
    await waiting;
    await expect.poll(async () => (await glance(small, other)).status, PATIENCE).toBe(408);
  });

  test('ends when the server stops, and none begins', async () => {
    await using stopping = await DeviceServer.open({ longPollsMax: 1 });
    const [one, other] = [await stopping.device(), await stopping.device()];
    const waiting = waitIn(stopping, one);
    await expect.poll(async () => (await glance(stopping, other)).status, PATIENCE).toBe(503);
    stopping.api.endLongPolls();
    expect(await waiting).toBe(408);
    expect((await glance(stopping, one)).status).toBe(503);
  });

  test('W4 of a device that asks again and again ends its oldest', async () => {
    const { accessToken } = await server.device();
    const polls = Array.from({ length: 6 }, (_, i) =>
      fetch(at(accessToken, `attributes/updates?timeout=${i < 5 ? 60_000 : 20}`)).then(({ status }) => status),
    );
    expect(await Promise.race(polls.slice(0, 5))).toBe(408);
  });
});

describe('a download', () => {
  test('W1 has the headers that clients of ThingsBoard read', async () => {
    const { device, target } = await told(server, { bytes: Buffer.from('0123456789') });
    const whole = `firmware?title=${encodeURIComponent(target.title)}&version=2.0`;
    for (const [query, bytes] of [
      ['', '0123456789'],
      ['&size=0', '0123456789'],
      ['&size=4&chunk=1', '4567'],
      ['&size=4&chunk=3', ''],
      ['&chunk=7', '0123456789'],
    ]) {
      const answer = await fetch(at(device.accessToken, whole + query));
      expect(answer.status).toBe(200);
      expect(await answer.text()).toBe(bytes);
      expect(Object.fromEntries(answer.headers)).toMatchObject({
        'content-disposition': 'attachment;filename="fw-2.0.bin"',
        'x-filename': 'fw-2.0.bin',
        'content-length': String(bytes?.length),
        'content-type': 'application/x-firmware',
      });
    }
  });

  test('P12 is whole or by range, with a strong ETag, and resumes only what is still the same', async () => {
    const bytes = randomBytes(500_000);
    const { device, target } = await told(server, { bytes });
    const url = at(device.accessToken, `firmware?title=${encodeURIComponent(target.title)}&version=2.0`);
    const etag = `"${target.sha256}"`;
    const get = async (headers: Record<string, string>, method = 'GET'): Promise<[number, string | null, Buffer]> => {
      const answer = await fetch(url, { method, headers });
      expect(answer.headers.get('accept-ranges')).toBe(answer.status === 416 ? null : 'bytes');
      expect(answer.headers.get('etag')).toBe(answer.status === 416 ? null : etag);
      return [answer.status, answer.headers.get('content-range'), Buffer.from(await answer.arrayBuffer())];
    };
    expect((await get({}))[2].equals(bytes)).toBe(true);
    expect(await get({ range: 'bytes=10-19' })).toEqual([206, 'bytes 10-19/500000', bytes.subarray(10, 20)]);
    expect(await get({ range: 'bytes=-5' })).toEqual([206, 'bytes 499995-499999/500000', bytes.subarray(-5)]);
    const [status, range, rest] = await get({ range: 'bytes=100-', 'if-range': etag });
    expect([status, range, rest.equals(bytes.subarray(100))]).toEqual([206, 'bytes 100-499999/500000', true]);
    expect((await get({ range: 'bytes=100-', 'if-range': '"another"' }))[0]).toBe(200);
    expect((await get({ range: 'bytes=100-', 'if-range': `W/${etag}` }))[0]).toBe(200);
    expect((await get({ range: 'bytes=0-1,5-6' }))[0]).toBe(200);
    expect((await get({ range: 'bytes=500000-' })).slice(0, 2)).toEqual([416, 'bytes */500000']);
    const head = await fetch(url, { method: 'HEAD', headers: { range: 'bytes=0-1' } });
    expect([head.status, head.headers.get('content-length'), head.headers.get('etag'), await head.text()]).toEqual([
      200,
      '500000',
      etag,
      '',
    ]);
    // A HEAD serves nothing; every byte has been served above.
    await expect.poll(async () => (await server.situation(device)).slot.update?.bytesServed, PATIENCE).toBe(500_000);
  });

  test('P12 U10 that was cut is resumed where it was', async () => {
    const bytes = randomBytes(5_000_000);
    const { device, target } = await told(server, { bytes });
    const url = at(device.accessToken, `firmware?title=${encodeURIComponent(target.title)}&version=2.0`);
    const cut = new AbortController();
    const had: Uint8Array[] = [];
    const first = await fetch(url, { signal: cut.signal });
    const reader = (first.body ?? new ReadableStream<Uint8Array>()).getReader();
    const { value = new Uint8Array() } = await reader.read();
    had.push(value);
    cut.abort();
    await expect(reader.read()).rejects.toThrow('abort');
    const rest = await fetch(url, { headers: { range: `bytes=${value.length}-`, 'if-range': `"${target.sha256}"` } });
    expect(rest.status).toBe(206);
    had.push(new Uint8Array(await rest.arrayBuffer()));
    expect(Buffer.concat(had).equals(bytes)).toBe(true);
    await expect
      .poll(async () => (await server.situation(device)).slot.update?.bytesServed, PATIENCE)
      .toBe(bytes.length);
  });

  test.each([
    ['a token that nobody has', 'unknown', '&title=T&version=2.0', 401],
    ['no title', '', '&version=2.0', 400],
    ['no version', '', '&title=T', 400],
    ['an empty title', '', '&title=&version=2.0', 400],
    ['another version', '', '&title=T&version=2.00', 400],
    ['a size that is no number', '', '&title=T&version=2.0&size=x', 400],
    ['a negative chunk', '', '&title=T&version=2.0&size=4&chunk=-1', 400],
    ['a hexadecimal size', '', '&title=T&version=2.0&size=0x4', 400],
  ])('W1 with %s is refused', async (_, token, query, status) => {
    const { device, target } = await told(server);
    const named = query.replace('title=T', `title=${encodeURIComponent(target.title)}`);
    const answer = await errorOf(await fetch(at(token || device.accessToken, `firmware?${named}`)));
    expect(answer).toEqual({ status, body: { status, message: expect.any(String) as string } });
  });

  test('W1 without a package, or with one by URL, answers 404', async () => {
    const none = await server.device();
    expect((await errorOf(await fetch(at(none.accessToken, 'firmware?title=a&version=1')))).status).toBe(404);
    const { device, target } = await told(server, { url: 'https://example.com/fw' });
    const query = `firmware?title=${encodeURIComponent(target.title)}&version=2.0`;
    expect((await errorOf(await fetch(at(device.accessToken, query)))).status).toBe(404);
  });

  test("W4 a package's names leave neither their quotes nor their header", async () => {
    const device = await server.device();
    const named = await server.package('1', {
      title: newTitle(),
      file: { name: 'a"; x=\\é💡.bin', contentType: 'text/html' },
    });
    await server.assign(named, { deviceId: device.id });
    const answer = await fetch(at(device.accessToken, `firmware?title=${encodeURIComponent(named.title)}&version=1`));
    expect(answer.headers.get('content-disposition')).toBe(
      `attachment;filename="a\\"; x=\\\\__.bin";filename*=UTF-8''a%22%3B%20x%3D%5C%C3%A9%F0%9F%92%A1.bin`,
    );
    expect(answer.headers.get('x-content-type-options')).toBe('nosniff');
  });

  test('W4 whose device does not read is ended, and others are served meanwhile', async () => {
    const size = 40_000_000;
    await using impatient = await DeviceServer.open({ downloadStallMs: 300 });
    const { device, target } = await told(impatient, { bytes: Buffer.alloc(size, 1) });
    const path = `/api/v1/${device.accessToken}/firmware?title=${encodeURIComponent(target.title)}&version=2.0`;
    const socket = await dial(impatient.url, `GET ${path} HTTP/1.1\r\nHost: a\r\n\r\n`);
    socket.pause();
    const others = await fetch(`${impatient.url}${path}&size=100&chunk=0`, { headers: { connection: 'close' } });
    expect((await others.arrayBuffer()).byteLength).toBe(100);
    await expect.poll(() => impatient.connections(), PATIENCE).toBe(0);
    let read = 0;
    socket.on('data', (data: Buffer) => (read += data.length));
    socket.resume();
    await once(socket, 'close');
    expect(read).toBeLessThan(size);
  });
});

describe('provisioning', () => {
  test('W1 finds no data for any key, with status 200', async () => {
    const body = '{"deviceName":"d","provisionDeviceKey":"k","provisionDeviceSecret":"s"}';
    const answer = await fetch(`${server.url}/api/v1/provision`, { method: 'POST', body });
    expect([answer.status, await answer.json()]).toEqual([
      200,
      { status: 'NOT_FOUND', errorMsg: 'Provision data was not found!' },
    ]);
    expect((await fetch(`${server.url}/api/v1/provision`)).status).toBe(404);
  });
});

describe('paths and methods', () => {
  test('W3 that are none answer 404, 401 or 405, whatever is in them', async () => {
    const { accessToken } = await server.device();
    const statusOf = async (path: string, method = 'GET'): Promise<string> =>
      (await raw(`${method} ${path} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n`)).slice(9, 12);
    expect(await statusOf(`/api/v1/${accessToken}`)).toBe('404');
    expect(await statusOf(`/api/v1/${accessToken}/`)).toBe('404');
    expect(await statusOf(`/api/v1/${accessToken}/attributes/`)).toBe('404');
    expect(await statusOf(`/api/v1/${accessToken}/../x/attributes`)).toBe('404');
    expect(await statusOf(`/api/v1/../${accessToken}/attributes`)).toBe('404');
    expect(await statusOf('/api/v1//attributes')).toBe('401');
    expect(await statusOf('/api/v1/%/attributes')).toBe('401');
    expect(await statusOf(`/api/v1/x%2f${accessToken}/attributes`)).toBe('401');
    expect(await statusOf(`/api/v1/${accessToken}/telemetry`)).toBe('405');
    expect(await statusOf(`/api/v1/${accessToken}/firmware`, 'DELETE')).toBe('405');
    expect(await statusOf(`/api/v1/${encodeURIComponent(accessToken)}/attributes`)).toBe('200');
    expect((await fetch(at(accessToken, 'telemetry'))).headers.get('allow')).toBe('POST');
  });
});

describe('a body', () => {
  test('W4 that says it is too large is refused before it is read', async () => {
    const { accessToken } = await server.device();
    const head = `POST /api/v1/${accessToken}/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: ${BODY_BYTES_MAX + 1}\r\n\r\n`;
    expect(await raw(head)).toMatch(/^HTTP\/1\.1 413 [^]*connection: close[^]*"status":413/i);
  });

  test('W4 that turns out too large is refused at the first byte too many, and one byte less is taken', async () => {
    const { accessToken } = await server.device();
    const post = (bytes: number): Promise<string> => {
      const text = `{"a":"${'x'.repeat(bytes - 8)}"}`;
      const chunked = `${text.length.toString(16)}\r\n${text}\r\n0\r\n\r\n`;
      const head = `POST /api/v1/${accessToken}/telemetry HTTP/1.1\r\nHost: a\r\nConnection: close\r\nTransfer-Encoding: chunked\r\n\r\n`;
      return raw(head + chunked);
    };
    expect(await post(BODY_BYTES_MAX)).toMatch(/^HTTP\/1\.1 200 /);
    expect(await post(BODY_BYTES_MAX + 1)).toMatch(/^HTTP\/1\.1 413 /);
  });

  test('W4 that comes too slowly is ended, and others are heard meanwhile', async () => {
    const { device } = await told(server);
    const slow = raw(
      `POST /api/v1/${device.accessToken}/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\n{"fw`,
    );
    const answer = await fetch(at(device.accessToken, 'telemetry'), {
      method: 'POST',
      body: '{"fw_state":"DOWNLOADING"}',
    });
    expect(answer.status).toBe(200);
    expect(await slow).toMatch(/^HTTP\/1\.1 408 /);
    expect((await server.history(device)).at(-1)).toBe('2.0 DOWNLOADING');
  });

  test('W4 that breaks off changes nothing', async () => {
    const { device } = await told(server);
    const socket = await dial(
      server.url,
      `POST /api/v1/${device.accessToken}/telemetry HTTP/1.1\r\nHost: a\r\nContent-Length: 1000\r\n\r\n{"fw_state":"FAILED"}`,
    );
    socket.destroy();
    await once(socket, 'close');
    expect((await fetch(at(device.accessToken, 'attributes'))).status).toBe(200);
    expect((await server.history(device)).at(-1)).toBe('2.0 INITIATED');
  });

  test('W4 of a device that floods is heard or put off, and all is well afterwards', async () => {
    const { device } = await told(server);
    const flood = Array.from({ length: 300 }, () =>
      fetch(at(device.accessToken, 'telemetry'), { method: 'POST', body: '{"fw_state":"DOWNLOADING"}' }),
    );
    const statuses = new Set((await Promise.all(flood)).map(({ status }) => status));
    expect([...statuses].filter((status) => status !== 200 && status !== 503)).toEqual([]);
    expect(statuses.has(200)).toBe(true);
    expect((await server.history(device)).slice(2)).toEqual(['2.0 DOWNLOADING']);
  });
});

/** A connection that has said `text`. */
async function dial(url: string, text: string): Promise<Socket> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  await once(socket, 'connect');
  socket.write(text);
  return socket;
}

/** All that the server answers until it closes the connection. */
async function raw(text: string): Promise<string> {
  const socket = await dial(server.url, text);
  let answer = '';
  socket.on('data', (data: Buffer) => (answer += data.toString('latin1')));
  await once(socket, 'close');
  return answer;
}
