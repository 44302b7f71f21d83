/** P5, P6, P12: people and their programs download packages, with their session. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { document } from '../support/contract.ts';
import { managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

const BYTES = new Uint8Array(randomBytes(700_001));

let server: ManagementServer;
let ours: Tenancy;
let id: string;

beforeAll(async () => {
  server = await managementServer();
  ours = await tenancy(server, 'ours');
  const file = { name: 'größe 7.bin', bytes: BYTES, type: 'application/x-firmware' };
  id = await create({}, file);
});

afterAll(async () => {
  await server?.[Symbol.asyncDispose]();
});

async function create(
  its: object,
  file?: { name: string; bytes: Uint8Array<ArrayBuffer>; type: string },
): Promise<string> {
  const input = {
    title: 'fw',
    version: String(Math.random()),
    type: 'FIRMWARE',
    deviceProfileId: ours.deviceProfileId,
    ...its,
  };
  const made =
    file === undefined
      ? await ours.admin.act(document('CreateOtaPackage'), { input })
      : await ours.admin.uploaded(document('CreateOtaPackage'), { input }, file);
  return made['id'];
}

function download(
  headers: Record<string, string> = {},
  its: { id?: string; method?: string; token?: string | null } = {},
): Promise<Response> {
  const token = its.token === undefined ? ours.admin.token : its.token;
  return fetch(`${server.url}/api/packages/${its.id ?? id}/download`, {
    method: its.method ?? 'GET',
    headers: { ...(token === null ? {} : { authorization: `Bearer ${token}` }), ...headers },
  });
}

async function bytesOf(response: Response): Promise<Buffer> {
  return Buffer.from(await response.arrayBuffer());
}

describe('a download by a person', () => {
  it('has the exact bytes, size, name and type, as an attachment that no browser guesses at (P5, P12)', async () => {
    const response = await download();
    expect(response.status).toBe(200);
    expect(Object.fromEntries(response.headers)).toMatchObject({
      'content-length': String(BYTES.length),
      'content-type': 'application/x-firmware',
      'x-content-type-options': 'nosniff',
      'accept-ranges': 'bytes',
    });
    expect(response.headers.get('content-disposition')).toContain("filename*=UTF-8''gr%C3%B6%C3%9Fe%207.bin");
    expect((await bytesOf(response)).equals(BYTES)).toBe(true);
  });

  it('goes on where it was cut, as long as the bytes are the same (P12)', async () => {
    const etag = (await download({}, { method: 'HEAD' })).headers.get('etag') ?? '';
    const rest = await download({ range: 'bytes=500000-', 'if-range': etag });
    expect([rest.status, rest.headers.get('content-range')]).toEqual([206, `bytes 500000-700000/700001`]);
    expect((await bytesOf(rest)).equals(BYTES.subarray(500_000))).toBe(true);
    expect((await download({ range: 'bytes=500000-', 'if-range': '"other"' })).status).toBe(200);
    expect((await download({ range: 'bytes=700001-' })).status).toBe(416);
  });

  it('is refused to nobody, to another tenant, and for what has no bytes here (P6, P12)', async () => {
    const theirs = await tenancy(server, 'theirs');
    const byUrl = await create({ url: 'https://example.com/fw.bin' });
    const refused = {
      nobody: await download({}, { token: null }),
      'another tenant': await download({}, { token: theirs.admin.token }),
      'a package by URL': await download({}, { id: byUrl }),
      'no such package': await download({}, { id: '01900000-0000-7000-8000-000000000000' }),
      'no UUID': await download({}, { id: "'; DROP TABLE ota_package" }),
      'another method': await download({}, { method: 'POST' }),
    };
    const codes = Object.entries(refused).map(async ([who, response]) => {
      const { errors } = (await response.json()) as { errors: { extensions: { code: string } }[] };
      return [who, response.status, errors[0]?.extensions.code];
    });
    expect(await Promise.all(codes)).toEqual([
      ['nobody', 401, 'UNAUTHENTICATED'],
      ['another tenant', 404, 'NOT_FOUND'],
      ['a package by URL', 404, 'NOT_FOUND'],
      ['no such package', 404, 'NOT_FOUND'],
      ['no UUID', 404, 'NOT_FOUND'],
      ['another method', 400, 'VALIDATION'],
    ]);
  });
});
