/** P5, P10, P11: files come in as GraphQL multipart requests, and what is refused leaves nothing. */
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { buffer, json } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { document } from '../support/contract.ts';
import type { GraphqlClient } from '../support/graphql.ts';
import { managementServer } from '../support/management-server.ts';
import type { ManagementServer } from '../support/management-server.ts';
import { tenancy } from '../support/tenancy.ts';
import type { Tenancy } from '../support/tenancy.ts';

const BYTES_MAX = 1_000_000;
const ENVELOPE_MAX = 65_536;

let server: ManagementServer;
let ours: Tenancy;
let count = 0;

beforeAll(async () => {
  server = await managementServer({ packageBytesMax: BYTES_MAX });
  // Where graphql-upload-ts spools.
  vi.stubEnv('TMPDIR', server.directory);
  ours = await tenancy(server, 'ours');
});

afterAll(async () => {
  vi.unstubAllEnvs();
  await server?.[Symbol.asyncDispose]();
});

function draft(its: Record<string, unknown> = {}): { input: Record<string, unknown> } {
  count += 1;
  return {
    input: { title: 'upload', version: String(count), type: 'FIRMWARE', deviceProfileId: ours.deviceProfileId, ...its },
  };
}

/** Files of the store, and of uploads under way. */
async function files(): Promise<string[]> {
  const entries = await readdir(server.directory, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Until what was spooled is gone; what is left then. */
async function leftovers(): Promise<string[]> {
  return vi.waitFor(async () => {
    const names = await files();
    expect(names.filter((name) => name.startsWith('capacitor-'))).toEqual([]);
    return names.toSorted();
  });
}

const AROUND = 'boundary-of-a-test';

/** The parts of a multipart request around the file. */
function envelope({ input }: { input: object }): { head: Buffer; tail: Buffer } {
  const part = (name: string, content: string): string =>
    `--${AROUND}\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${content}\r\n`;
  const operations = JSON.stringify({
    query: document('CreateOtaPackage'),
    variables: { input: { ...input, file: null } },
  });
  return {
    head: Buffer.from(
      `${part('operations', operations)}${part('map', '{"0":["variables.input.file"]}')}--${AROUND}\r\n` +
        'Content-Disposition: form-data; name="0"; filename="f.bin"\r\nContent-Type: application/octet-stream\r\n\r\n',
    ),
    tail: Buffer.from(`\r\n--${AROUND}--\r\n`),
  };
}

function begin(client: GraphqlClient, headers: Record<string, string | number> = {}): ClientRequest {
  return request(`${server.url}/graphql`, {
    method: 'POST',
    headers: {
      'content-type': `multipart/form-data; boundary=${AROUND}`,
      'graphql-require-preflight': '1',
      ...client.headers(),
      ...headers,
    },
  });
}

async function answerOf(sent: ClientRequest): Promise<{ status: number; body: any }> {
  const [response] = (await once(sent, 'response')) as [IncomingMessage];
  return { status: response.statusCode ?? 0, body: await json(response) };
}

describe('an upload', () => {
  it('keeps the bytes exactly, with the name and the type of the file (P5)', async () => {
    const bytes = randomBytes(300_000);
    const made = await ours.admin.uploaded(document('CreateOtaPackage'), draft(), {
      name: 'größe 1.bin',
      bytes,
      type: 'application/x-firmware',
    });
    expect(made).toMatchObject({ fileName: 'größe 1.bin', contentType: 'application/x-firmware', dataSize: 300_000 });
    expect(await buffer(await server.packageStore.open(made.checksum))).toEqual(bytes);
  });

  it('of nothing is refused (P5), and so is one with another checksum (P3)', async () => {
    const before = await leftovers();
    const empty = await ours.admin.uploaded(document('CreateOtaPackage'), draft(), {
      name: 'e',
      bytes: new Uint8Array(),
    });
    expect(empty).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION' });
    const wrong = await ours.admin.uploaded(document('CreateOtaPackage'), draft({ checksum: 'ab'.repeat(32) }), {
      name: 'w',
      bytes: randomBytes(10),
    });
    expect(wrong).toMatchObject({ __typename: 'ChecksumMismatchError', code: 'CHECKSUM_MISMATCH' });
    expect(await leftovers()).toEqual(before);
  });

  it.each(['apollo-require-preflight', 'graphql-require-preflight', 'x-graphql-yoga-csrf'])(
    'with the header %s is let in',
    async (name) => {
      const file = { name: 'f', bytes: randomBytes(10) };
      const response = await ours.admin.upload(document('CreateOtaPackage'), draft(), file, { [name]: '1' });
      expect(await response.json()).toMatchObject({ data: { createOtaPackage: { __typename: 'OtaPackage' } } });
    },
  );

  it('without a header that makes a browser ask first is 403', async () => {
    const file = { name: 'f', bytes: randomBytes(10) };
    const response = await ours.admin.upload(document('CreateOtaPackage'), draft(), file, {});
    expect(response.status).toBe(403);
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] });
  });

  it('of nobody is 401, and its file is not taken in', async () => {
    const file = { name: 'f', bytes: randomBytes(10) };
    const response = await server.nobody.upload(document('CreateOtaPackage'), draft(), file);
    expect(response.status).toBe(401);
  });

  it("of a customer's user is FORBIDDEN, and leaves nothing (A8)", async () => {
    const before = await leftovers();
    const file = { name: 'f', bytes: randomBytes(BYTES_MAX) };
    expect(await ours.customerUser.uploaded(document('CreateOtaPackage'), draft(), file)).toMatchObject({
      code: 'FORBIDDEN',
    });
    await vi.waitFor(async () => expect((await files()).toSorted()).toEqual(before));
  });

  it('of the largest size is let in; of one byte more it is TOO_LARGE, and nothing stays (P10)', async () => {
    const largest = { name: 'f', bytes: randomBytes(BYTES_MAX) };
    expect(await ours.admin.uploaded(document('CreateOtaPackage'), draft(), largest)).toMatchObject({
      dataSize: BYTES_MAX,
    });
    const before = await leftovers();
    const more = { name: 'f', bytes: randomBytes(BYTES_MAX + 1) };
    expect(await ours.admin.uploaded(document('CreateOtaPackage'), draft(), more)).toMatchObject({ code: 'TOO_LARGE' });
    const muchMore = { name: 'f', bytes: randomBytes(BYTES_MAX + 50_000) };
    expect(await ours.admin.uploaded(document('CreateOtaPackage'), draft(), muchMore)).toMatchObject({
      code: 'TOO_LARGE',
    });
    await vi.waitFor(async () => expect((await files()).toSorted()).toEqual(before));
  });

  it('whose declared length alone proves it too large is 413 before its body (P10)', async () => {
    const sent = begin(ours.admin, { 'content-length': BYTES_MAX + ENVELOPE_MAX + 1 });
    sent.on('error', () => {});
    sent.flushHeaders();
    const { status, body } = await answerOf(sent);
    expect(status).toBe(413);
    expect(body.errors[0].extensions.code).toBe('TOO_LARGE');
    sent.destroy();
  });

  it('of undeclared length is TOO_LARGE at the first byte too many', async () => {
    const before = await leftovers();
    const { head } = envelope(draft());
    const sent = begin(ours.admin, { 'transfer-encoding': 'chunked' });
    sent.on('error', () => {});
    sent.write(head);
    const answered = answerOf(sent);
    sent.write(randomBytes(BYTES_MAX + 10_000));
    expect((await answered).body.data.createOtaPackage).toMatchObject({ code: 'TOO_LARGE' });
    sent.destroy();
    await vi.waitFor(async () => expect((await files()).toSorted()).toEqual(before));
  });

  it.each([0.01, 0.3, 1])('cut after its words and %d of its file leaves nothing (P11)', async (share) => {
    const before = await leftovers();
    const variables = draft();
    const { head, tail } = envelope(variables);
    const bytes = randomBytes(500_000);
    const sent = begin(ours.admin, { 'content-length': head.length + bytes.length + tail.length });
    sent.on('error', () => {});
    sent.write(head);
    sent.write(bytes.subarray(0, bytes.length * share));
    await vi.waitFor(async () => expect((await files()).length).toBeGreaterThan(before.length));
    sent.destroy();
    await vi.waitFor(async () => expect((await files()).toSorted()).toEqual(before));
    await vi.waitFor(async () => {
      const refused = await server.query<{ error_code: string }>(
        `SELECT error_code FROM audit_entry WHERE entity_name = $1`,
        [`upload ${variables.input['version'] as string}`],
      );
      expect(refused).toEqual([{ error_code: 'UPLOAD_INTERRUPTED' }]);
    });
    const { otaPackages } = await ours.admin.ask(document('OtaPackages'), {
      search: variables.input['version'],
    });
    expect(otaPackages.edges.map(({ node }: any) => node.version)).not.toContain(variables.input['version']);
  });

  it('that is malformed is told why, and the server goes on', async () => {
    const before = await leftovers();
    const bodies = [
      'no multipart at all',
      `--${AROUND}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n{not json\r\n--${AROUND}--\r\n`,
      `--${AROUND}\r\nContent-Disposition: form-data; name="operations"\r\n\r\n[]\r\n--${AROUND}--\r\n`,
      `--${AROUND}\r\nContent-Disposition: form-data; name="map"\r\n\r\n{}\r\n--${AROUND}--\r\n`,
    ];
    for (const text of bodies) {
      const sent = begin(ours.admin, { 'content-length': Buffer.byteLength(text) });
      sent.end(text);
      const { status, body } = await answerOf(sent);
      expect([status, body.errors[0].extensions.code]).toEqual([400, 'VALIDATION']);
    }
    expect(await leftovers()).toEqual(before);
  });
});
