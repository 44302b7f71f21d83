import type { ErrorCode } from '../../server/domain/errors.ts';
import { RefusedError } from './wire.ts';
import type { Attributes, ChunkOf, DeviceWire, Heard, Sections, Wires } from './wire.ts';

const CODE_OF_STATUS: Readonly<Record<number, ErrorCode>> = {
  400: 'VALIDATION',
  401: 'UNAUTHENTICATED',
  404: 'NOT_FOUND',
  413: 'TOO_LARGE',
  503: 'UNAVAILABLE',
};

export const HTTP: Wires = {
  name: 'HTTP',
  connect: (url, accessToken) => new HttpWire(`${url}/api/v1/${encodeURIComponent(accessToken)}`),
};

class HttpWire implements DeviceWire {
  readonly #base: string;

  constructor(base: string) {
    this.#base = base;
  }

  async postTelemetry(text: string): Promise<void> {
    await this.#post('telemetry', text);
  }

  async postAttributes(text: string): Promise<void> {
    await this.#post('attributes', text);
  }

  async attributes({
    client,
    shared,
  }: { client?: readonly string[]; shared?: readonly string[] } = {}): Promise<Sections> {
    const query = new URLSearchParams();
    if (client !== undefined) query.set('clientKeys', client.join(','));
    if (shared !== undefined) query.set('sharedKeys', shared.join(','));
    return JSON.parse((await this.#call(`attributes?${query}`)).toString()) as Sections;
  }

  async listen(timeoutMs: number): Promise<Heard | null> {
    const answer = await fetch(`${this.#base}/attributes/updates?timeout=${timeoutMs}`);
    const text = Buffer.from(await answer.arrayBuffer());
    if (answer.status === 408) return null;
    const { deleted = [], ...values } = JSON.parse(bodyOf(answer, text).toString()) as Attributes & {
      deleted?: string[];
    };
    return { values, deleted };
  }

  async chunk({ type = 'FIRMWARE', title, version, size, index }: ChunkOf): Promise<Buffer> {
    const query = new URLSearchParams();
    for (const [name, value] of Object.entries({ title, version, size, chunk: index })) {
      if (value !== undefined) query.set(name, String(value));
    }
    return this.#call(`${type.toLowerCase()}?${query}`);
  }

  async #post(resource: string, text: string): Promise<void> {
    await this.#call(resource, { method: 'POST', body: text, headers: { 'content-type': 'application/json' } });
  }

  async #call(resource: string, init?: RequestInit): Promise<Buffer> {
    const answer = await fetch(`${this.#base}/${resource}`, init);
    return bodyOf(answer, Buffer.from(await answer.arrayBuffer()));
  }
}

function bodyOf({ status }: Response, body: Buffer): Buffer {
  if (status === 200) return body;
  const code = CODE_OF_STATUS[status];
  if (code === undefined) throw new Error(`HTTP ${status}: ${body.toString()}`);
  throw new RefusedError(code);
}
