/**
 * ThingsBoard's HTTP device API, as its sample client uses it: keep-alive, `sharedKeys` as repeated parameters, the
 * token in the path.
 *
 * node:http, because a fleet shares its processor with the server it tries: 131 to 158 µs of processor time a request
 * against 558 to 609 with fetch (256 devices at once, telemetry and chunks of 8 KiB in turn, Node 20.20).
 */
import { Agent, request } from 'node:http';
import type { IncomingMessage } from 'node:http';
import { Refused, Unavailable } from './transport.ts';
import type { Attributes, AttributesNews, ChunkRequest, DeviceTransport, PackageType } from './transport.ts';

/** An answer other than a long poll's must have come within this. */
const ANSWER_TIMEOUT_MS = 30_000;
/** How much later than asked for the answer to a long poll may come. */
const LONG_POLL_GRACE_MS = 5_000;
const JSON_BYTES_MAX = 1_048_576;
/** The long poll, and a request for each package type. */
const SOCKETS_MAX = 3;
const RETRY_AFTER_MAX_MS = 30_000;

const DOWNLOAD_PATH = { FIRMWARE: 'firmware', SOFTWARE: 'software' } as const satisfies Record<PackageType, string>;

interface Call {
  readonly path: string;
  /** Sent by POST. */
  readonly body?: string;
  readonly answerBytesMax: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

interface Answer {
  readonly status: number;
  readonly body: Buffer;
}

export class HttpTransport implements DeviceTransport {
  readonly #host: { readonly hostname: string; readonly port: string };
  readonly #path: string;
  readonly #agent = new Agent({ keepAlive: true, maxSockets: SOCKETS_MAX });

  /** `base` is the server's address, such as http://127.0.0.1:8080. */
  constructor(base: URL, accessToken: string) {
    this.#host = { hostname: base.hostname.replace(/^\[(.*)\]$/, '$1'), port: base.port };
    this.#path = `${base.pathname.replace(/\/$/, '')}/api/v1/${encodeURIComponent(accessToken)}`;
  }

  async connect(): Promise<void> {
    // Each request connects where it must.
  }

  async postTelemetry(telemetry: unknown, signal: AbortSignal): Promise<void> {
    const call = { path: '/telemetry', body: JSON.stringify(telemetry), timeoutMs: ANSWER_TIMEOUT_MS };
    expectOk(await this.#send({ ...call, answerBytesMax: JSON_BYTES_MAX, signal }));
  }

  async getAttributes(keys: readonly string[], signal: AbortSignal): Promise<Attributes> {
    const query = new URLSearchParams(keys.map((key) => ['sharedKeys', key]));
    const call = { path: `/attributes?${query}`, answerBytesMax: JSON_BYTES_MAX, timeoutMs: ANSWER_TIMEOUT_MS, signal };
    const { shared } = parseObject(expectOk(await this.#send(call)));
    return isObject(shared) ? shared : {};
  }

  async awaitAttributes(timeoutMs: number, signal: AbortSignal): Promise<AttributesNews> {
    const path = `/attributes/updates?timeout=${timeoutMs}`;
    const call = { path, answerBytesMax: JSON_BYTES_MAX, timeoutMs: timeoutMs + LONG_POLL_GRACE_MS, signal };
    const answer = await this.#send(call);
    if (answer.status === 408) return { kind: 'timeout' };
    const values = parseObject(expectOk(answer));
    return Array.isArray(values['deleted'])
      ? { kind: 'deleted', keys: values['deleted'].map(String) }
      : { kind: 'changed', values };
  }

  async fetchChunk({ type, title, version, size, index }: ChunkRequest, signal: AbortSignal): Promise<Uint8Array> {
    const query = new URLSearchParams({ title, version, size: String(size), chunk: String(index) });
    const path = `/${DOWNLOAD_PATH[type]}?${query}`;
    return expectOk(await this.#send({ path, answerBytesMax: size, timeoutMs: ANSWER_TIMEOUT_MS, signal }));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#agent.destroy();
  }

  #send({ path, body, answerBytesMax, timeoutMs, signal }: Call): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const fail = (error: Error): void => reject(signal.aborted ? reasonOf(signal) : asUnavailable(error));
      const outgoing = request(
        {
          ...this.#host,
          agent: this.#agent,
          method: body === undefined ? 'GET' : 'POST',
          path: this.#path + path,
          headers:
            body === undefined ? {} : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
          timeout: timeoutMs,
          signal,
        },
        (incoming) => {
          readAnswer(incoming, answerBytesMax).then(resolve, fail);
        },
      );
      outgoing.once('timeout', () => outgoing.destroy(new Unavailable(`no answer in ${timeoutMs} ms`)));
      outgoing.once('error', fail);
      outgoing.end(body);
    });
  }
}

async function readAnswer(incoming: IncomingMessage, okBytesMax: number): Promise<Answer> {
  const status = incoming.statusCode ?? 0;
  const bytesMax = status === 200 ? okBytesMax : JSON_BYTES_MAX;
  const chunks: Buffer[] = [];
  let length = 0;
  for await (const chunk of incoming as AsyncIterable<Buffer>) {
    length += chunk.length;
    if (length > bytesMax) throw new Refused(`The answer is longer than ${bytesMax} bytes`, String(status));
    chunks.push(chunk);
  }
  if (status >= 500 || status === 429) throw new Unavailable(`HTTP ${status}`, retryAfterMs(incoming));
  return { status, body: Buffer.concat(chunks, length) };
}

/** Seconds, bounded; a date is not worth the parsing: the device comes again by its own backoff. */
function retryAfterMs({ headers }: IncomingMessage): number | null {
  const seconds = Number(headers['retry-after'] ?? NaN);
  return seconds >= 0 ? Math.min(seconds * 1_000, RETRY_AFTER_MAX_MS) : null;
}

function expectOk({ status, body }: Answer): Buffer {
  if (status === 200) return body;
  throw new Refused(`HTTP ${status} ${messageOf(body)}`.trimEnd(), String(status), status === 401);
}

/** The server's words, where it has any. */
function messageOf(body: Buffer): string {
  const value = parse(body);
  return isObject(value) && typeof value['message'] === 'string' ? value['message'] : '';
}

function parseObject(body: Buffer): Attributes {
  const value = parse(body);
  if (isObject(value)) return value;
  throw new Refused('The answer is no JSON object', '200');
}

/** @returns undefined where it is no JSON */
function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString());
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Attributes {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function reasonOf({ reason }: AbortSignal): Error {
  return reason instanceof Error ? reason : new Error('aborted', { cause: reason });
}

/** Connection refused, reset or cut. */
function asUnavailable(error: Error & { code?: string }): Error {
  return error instanceof Refused || error instanceof Unavailable
    ? error
    : new Unavailable(error.code ?? error.message);
}
