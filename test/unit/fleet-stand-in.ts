/**
 * A server of a few lines that keeps ThingsBoard's HTTP device API, to try the simulated device on: unlike the real
 * server it fails on demand.
 */
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';

export interface Telemetry {
  readonly [key: string]: unknown;
}

type Fault = 'unavailable' | 'cut' | 'cut after applying';

/** What one device said and is told. */
export class Device {
  readonly telemetry: Telemetry[] = [];
  readonly attributeQueries: URLSearchParams[] = [];
  readonly chunksServed: { version: string; size: number; index: number; bytes: number }[] = [];
  readonly images = new Map<string, Buffer>();
  #shared: Telemetry = {};
  #undelivered: Telemetry[] = [];
  #poll: ((news: Telemetry | null) => void) | null = null;

  get shared(): Telemetry {
    return this.#shared;
  }

  /** The states that it reported of a type, in order. */
  states(prefix: 'fw' | 'sw'): unknown[] {
    return this.telemetry.map((values) => values[`${prefix}_state`]).filter((state) => state !== undefined);
  }

  assign(prefix: 'fw' | 'sw', version: string, image: Buffer, checksum = sha256(image)): void {
    this.images.set(`${prefix} ${version}`, image);
    const offer = {
      [`${prefix}_title`]: 'thermostat',
      [`${prefix}_version`]: version,
      [`${prefix}_size`]: image.length,
      [`${prefix}_checksum_algorithm`]: 'SHA256',
      [`${prefix}_checksum`]: checksum,
    };
    this.#shared = { ...this.#shared, ...offer };
    this.#offer(offer);
  }

  unassign(prefix: 'fw' | 'sw'): void {
    const deleted = Object.keys(this.#shared).filter((key) => key.startsWith(prefix));
    this.#shared = Object.fromEntries(Object.entries(this.#shared).filter(([key]) => !deleted.includes(key)));
    this.images.clear();
    this.#offer({ deleted });
  }

  /** Null after the timeout. */
  nextNews(timeoutMs: number): Promise<Telemetry | null> {
    const waiting = this.#undelivered.shift();
    if (waiting !== undefined) return Promise.resolve(waiting);
    return new Promise((resolve) => {
      const timer = setTimeout(() => this.#poll?.(null), timeoutMs);
      this.#poll = (news) => {
        clearTimeout(timer);
        this.#poll = null;
        resolve(news);
      };
    });
  }

  stopWaiting(): void {
    this.#poll?.(null);
  }

  #offer(news: Telemetry): void {
    if (this.#poll === null) this.#undelivered.push(news);
    else this.#poll(news);
  }

  /** A GET delivers all. */
  read(keys: readonly string[]): Telemetry {
    this.#undelivered = [];
    return Object.fromEntries(Object.entries(this.#shared).filter(([key]) => keys.includes(key)));
  }
}

export class StandIn implements AsyncDisposable {
  readonly devices = new Map<string, Device>();
  /** Decides the fault of each request before it is handled. */
  fault: (request: IncomingMessage) => Fault | null = () => null;
  #server: Server = createServer();
  #port = 0;

  device(token: string): Device {
    const device = this.devices.get(token) ?? new Device();
    this.devices.set(token, device);
    return device;
  }

  get url(): URL {
    return new URL(`http://127.0.0.1:${this.#port}`);
  }

  /** On the same port as before, where there was one. */
  async open(): Promise<this> {
    this.#server = createServer((request, response) => {
      this.#serve(request, response).catch((error: unknown) => {
        if (!request.destroyed) throw error;
      });
    });
    this.#server.listen(this.#port, '127.0.0.1');
    await once(this.#server, 'listening');
    const address = this.#server.address();
    if (typeof address === 'object' && address !== null) this.#port = address.port;
    return this;
  }

  /** Cuts every connection, as a killed process does. */
  async close(): Promise<void> {
    for (const device of this.devices.values()) device.stopWaiting();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const part of request) body += String(part);
    const fault = this.fault(request);
    if (fault === 'unavailable') return void response.writeHead(503).end('{"status":503,"message":"Come again."}');
    if (fault === 'cut') return void request.socket.destroy();
    const { status, content } = await this.#answer(new URL(request.url ?? '', this.url), body);
    if (fault === 'cut after applying') return void request.socket.destroy();
    response.writeHead(status, { 'content-length': Buffer.byteLength(content) }).end(content);
  }

  async #answer(
    { pathname, searchParams: query }: URL,
    body: string,
  ): Promise<{ status: number; content: string | Buffer }> {
    const [, token = '', route = ''] = /^\/api\/v1\/([^/]+)\/(.*)$/.exec(pathname) ?? [];
    const device = this.devices.get(token);
    if (device === undefined) return { status: 401, content: '{"status":401,"message":"Unknown access token."}' };
    if (route === 'telemetry') {
      device.telemetry.push(...valuesOf(JSON.parse(body)));
      return { status: 200, content: '' };
    }
    if (route === 'attributes') {
      device.attributeQueries.push(query);
      return { status: 200, content: JSON.stringify({ shared: device.read(query.getAll('sharedKeys')) }) };
    }
    if (route === 'attributes/updates') {
      const news = await device.nextNews(Number(query.get('timeout')));
      return news === null ? { status: 408, content: '' } : { status: 200, content: JSON.stringify(news) };
    }
    const version = query.get('version') ?? '';
    const image = device.images.get(`${route === 'firmware' ? 'fw' : 'sw'} ${version}`);
    if (image === undefined) return { status: 404, content: '{"status":404,"message":"No such package."}' };
    const [size, index] = [Number(query.get('size')), Number(query.get('chunk'))];
    const content = image.subarray(size * index, size * (index + 1));
    device.chunksServed.push({ version, size, index, bytes: content.length });
    return { status: 200, content };
  }
}

/** An object, an array of objects, or either below `values`. */
function valuesOf(message: unknown): Telemetry[] {
  if (Array.isArray(message)) return message.flatMap(valuesOf);
  if (typeof message !== 'object' || message === null) throw new TypeError('no telemetry');
  return 'ts' in message && 'values' in message ? valuesOf(message.values) : [{ ...message }];
}

function sha256(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}
