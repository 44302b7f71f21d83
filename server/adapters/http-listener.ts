/** The HTTP listener: opens on a port or says why not, and drains. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { RequestListener, Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { StartError } from '../config.ts';
import type { Limits } from '../config.ts';

type ListenerLimits = Pick<Limits, 'headerTimeoutMs' | 'drainMs'>;

/** What people have to do about a port that cannot be had, by the system's word. */
const ADVICE: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is taken; end the other program or choose another port',
  EACCES: 'is not allowed to this user; choose a port from 1024 on',
};

export class HttpListener implements AsyncDisposable {
  readonly server: Server;
  /** As people type it into a browser. */
  readonly url: string;
  readonly #drainMs: number;

  /** @throws StartError */
  static async open(
    address: { host: string; port: number },
    answer: RequestListener,
    limits: ListenerLimits,
  ): Promise<HttpListener> {
    // A request's body has limits of its own, since a package may take long to arrive: only its head has to be quick.
    const server = createServer({ noDelay: true, headersTimeout: limits.headerTimeoutMs, requestTimeout: 0 }, answer);
    server.listen({ ...address, backlog: 4_096 });
    try {
      await once(server, 'listening');
    } catch (error) {
      throw startErrorOf(error, address);
    }
    return new HttpListener(server, address.host, limits.drainMs);
  }

  private constructor(server: Server, host: string, drainMs: number) {
    const { port } = server.address() as AddressInfo;
    const isAny = host === '0.0.0.0' || host === '::';
    this.server = server;
    this.url = `http://${isAny ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#drainMs = drainMs;
  }

  /** No new connections; what is being answered may finish within the time, idle connections end at once. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = once(this.server, 'close');
    this.server.close();
    this.server.closeIdleConnections();
    await Promise.race([closed, delay(this.#drainMs, undefined, { ref: false })]);
    this.server.closeAllConnections();
    await closed;
  }
}

function startErrorOf(error: unknown, { host, port }: { host: string; port: number }): Error {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (code === 'EADDRNOTAVAIL' || code === 'ENOTFOUND' || code === 'EAI_AGAIN') {
    return new StartError(`HOST=${host} is no address of this machine; correct it or unset it (default 0.0.0.0).`);
  }
  return new StartError(`PORT=${port} ${ADVICE[code] ?? `cannot be opened (${code})`} (on HOST=${host}).`);
}
