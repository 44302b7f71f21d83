/** One HTTP/1.1 connection that is kept alive, and no more of HTTP than that: the load must not come from the one who measures it. */
import { once } from 'node:events';
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const ANSWER_BYTES_MAX = 65_536;
const HEAD_END = '\r\n\r\n';

export class KeepAliveConnection implements Disposable {
  readonly #socket: Socket;
  #received = '';
  #answered: ((status: number) => void) | null = null;
  #failed: ((error: Error) => void) | null = null;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.setNoDelay(true).setEncoding('latin1');
    socket.on('data', (text: string) => this.#read(text));
    socket.on('error', (error) => this.#failed?.(error));
    socket.on('close', () => this.#failed?.(new Error('The server closed the connection.')));
  }

  static async open(url: URL): Promise<KeepAliveConnection> {
    const socket = connect(Number(url.port), url.hostname);
    await once(socket, 'connect');
    return new KeepAliveConnection(socket);
  }

  /** Sends a whole request, head and body; one at a time. @returns the status */
  send(request: string): Promise<number> {
    if (this.#socket.destroyed) return Promise.reject(new Error('The server closed the connection.'));
    return new Promise((resolve, reject) => {
      this.#answered = resolve;
      this.#failed = reject;
      this.#socket.write(request);
    });
  }

  [Symbol.dispose](): void {
    this.#failed = null;
    this.#socket.destroy();
  }

  #read(text: string): void {
    this.#received += text;
    const headLength = this.#received.indexOf(HEAD_END);
    if (headLength < 0) {
      if (this.#received.length > ANSWER_BYTES_MAX) this.#socket.destroy(new Error('The answer has no end.'));
      return;
    }
    const head = this.#received.slice(0, headLength);
    const bodyLength = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? NaN);
    if (Number.isNaN(bodyLength)) {
      this.#socket.destroy(new Error(`The answer has no length: ${head}`));
      return;
    }
    const length = headLength + HEAD_END.length + bodyLength;
    if (this.#received.length < length) return;
    this.#received = this.#received.slice(length);
    this.#answered?.(Number(head.slice(9, 12)));
  }
}

export function postRequest(url: URL, path: string, json: string): string {
  return [
    `POST ${path} HTTP/1.1`,
    `Host: ${url.host}`,
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(json)}${HEAD_END}${json}`,
  ].join('\r\n');
}
