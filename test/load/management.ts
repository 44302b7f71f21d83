/** What measuring asks of the management API: sign in, a profile with devices, a package, an assignment. */
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { text } from 'node:stream/consumers';

const BOUNDARY = 'aloft-load-boundary';
const UPLOAD_PART_BYTES = 65_536;
/** Devices created at the same time. */
const CREATE_AT_ONCE_MAX = 8;

/** Of it, what the document asks for. */
interface Outcome {
  readonly id: string;
  readonly token: string;
  readonly dataSize: number;
  readonly checksum: string;
}

type Variables = Readonly<Record<string, unknown>>;

export class Management {
  readonly #endpoint: URL;
  readonly token: string;

  private constructor(endpoint: URL, token: string) {
    this.#endpoint = endpoint;
    this.token = token;
  }

  static async signIn(url: URL, credentials: { email: string; password: string }): Promise<Management> {
    const anonymous = new Management(new URL('/graphql', url), '');
    const { token } = await anonymous.mutate(
      `mutation ($email: String!, $password: String!) {
        outcome: login(input: { email: $email, password: $password }) { __typename ... on Session { token } ... on Error { code message } }
      }`,
      credentials,
    );
    return new Management(anonymous.#endpoint, token);
  }

  async createProfile(name: string): Promise<string> {
    const { id } = await this.mutate(
      `mutation ($name: String!) {
        outcome: createDeviceProfile(input: { name: $name }) { __typename ... on DeviceProfile { id } ... on Error { code message } }
      }`,
      { name },
    );
    return id;
  }

  /** The access token is the device's name. */
  async createDevices(deviceProfileId: string, names: readonly string[]): Promise<void> {
    const left = [...names];
    const create = async (): Promise<void> => {
      for (let name = left.shift(); name !== undefined; name = left.shift()) {
        await this.mutate(
          `mutation ($name: String!, $deviceProfileId: ID!, $accessToken: String) {
            outcome: createDevice(input: { name: $name, deviceProfileId: $deviceProfileId, accessToken: $accessToken }) {
              __typename ... on Device { id } ... on Error { code message }
            }
          }`,
          { name, deviceProfileId, accessToken: name },
        );
      }
    };
    await Promise.all(Array.from({ length: CREATE_AT_ONCE_MAX }, create));
  }

  async assign(packageId: string, deviceProfileId: string): Promise<void> {
    await this.mutate(
      `mutation ($packageId: ID!, $deviceProfileId: ID) {
        outcome: assignOtaPackage(input: { packageId: $packageId, deviceProfileId: $deviceProfileId }) {
          __typename ... on Assignment { id } ... on Error { code message }
        }
      }`,
      { packageId, deviceProfileId },
    );
  }

  /** A GraphQL multipart request, streamed: its bytes are the same 64 KiB over and over, numbered. */
  async upload(deviceProfileId: string, title: string, bytes: number): Promise<Outcome> {
    const variables = {
      input: { title, version: '1.0', type: 'FIRMWARE', deviceProfileId, checksumAlgorithm: 'SHA256', file: null },
    };
    const query = `mutation ($input: CreateOtaPackageInput!) {
      outcome: createOtaPackage(input: $input) {
        __typename ... on OtaPackage { id dataSize checksum } ... on Error { code message }
      }
    }`;
    const head = [
      part('name="operations"', JSON.stringify({ query, variables })),
      part('name="map"', '{"0":["variables.input.file"]}'),
      `--${BOUNDARY}\r\nContent-Disposition: form-data; name="0"; filename="${title}.bin"\r\nContent-Type: application/octet-stream\r\n\r\n`,
    ].join('');
    const tail = `\r\n--${BOUNDARY}--\r\n`;
    const hash = createHash('sha256');
    const body = Readable.from(multipart(head, numberedBytes(bytes, hash), tail));
    const length = Buffer.byteLength(head) + bytes + tail.length;
    const answer = await this.#post(body, {
      'content-type': `multipart/form-data; boundary=${BOUNDARY}`,
      'content-length': String(length),
      'graphql-require-preflight': 'true',
    });
    const uploaded = outcomeOf(answer);
    const checksum = hash.digest('hex');
    if (uploaded.dataSize !== bytes || uploaded.checksum !== checksum) {
      throw new Error(
        `Uploaded ${bytes} bytes with SHA-256 ${checksum}; the server answered ${JSON.stringify(uploaded)}.`,
      );
    }
    return uploaded;
  }

  /** The document names its one field `outcome`. @throws where the answer is a refusal */
  async mutate(query: string, variables: Variables): Promise<Outcome> {
    const body = Readable.from([JSON.stringify({ query, variables })]);
    return outcomeOf(await this.#post(body, { 'content-type': 'application/json' }));
  }

  #post(body: Readable, headers: Readonly<Record<string, string>>): Promise<string> {
    return new Promise((resolve, reject) => {
      const authorization = this.token === '' ? {} : { authorization: `Bearer ${this.token}` };
      const outgoing = request(
        this.#endpoint,
        { method: 'POST', headers: { ...headers, ...authorization } },
        (incoming) => {
          text(incoming).then(resolve, reject);
        },
      );
      outgoing.once('error', reject);
      pipeline(body, outgoing).catch(reject);
    });
  }
}

function outcomeOf(answer: string): Outcome {
  const { data, errors }: { data?: { outcome?: Outcome & { code?: string } }; errors?: unknown } = JSON.parse(answer);
  if (data?.outcome === undefined || data.outcome.code !== undefined || errors !== undefined) {
    throw new Error(`The management API refused: ${answer.slice(0, 1_000)}`);
  }
  return data.outcome;
}

function part(disposition: string, content: string): string {
  return `--${BOUNDARY}\r\nContent-Disposition: form-data; ${disposition}\r\n\r\n${content}\r\n`;
}

function* multipart(head: string, file: Iterable<Buffer>, tail: string): Generator<Buffer> {
  yield Buffer.from(head);
  yield* file;
  yield Buffer.from(tail);
}

function* numberedBytes(length: number, hash: { update(bytes: Buffer): unknown }): Generator<Buffer> {
  for (let at = 0; at < length; at += UPLOAD_PART_BYTES) {
    const bytes = Buffer.alloc(Math.min(UPLOAD_PART_BYTES, length - at), 0x5a);
    if (bytes.length >= 8) bytes.writeBigUInt64LE(BigInt(at));
    hash.update(bytes);
    yield bytes;
  }
}
