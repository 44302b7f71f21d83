/** Reads a small body: bounded in size and time. */
import type { IncomingMessage } from 'node:http';
import { TooLargeError } from '../../domain/errors.ts';

/** The body did not arrive in time. */
export class BodyTimeoutError extends Error {}

/** Nobody is there to be answered. */
export class ClientGoneError extends Error {}

/** @throws TooLargeError, BodyTimeoutError, ClientGoneError */
export function readBody(
  incoming: IncomingMessage,
  { deviceBodyBytesMax, deviceBodyTimeoutMs }: { deviceBodyBytesMax: number; deviceBodyTimeoutMs: number },
): Promise<string> {
  return new Promise((resolve, reject) => {
    const tooLarge = (): TooLargeError => new TooLargeError(`A body may have at most ${deviceBodyBytesMax} bytes.`);
    if (Number(incoming.headers['content-length'] ?? 0) > deviceBodyBytesMax) {
      reject(tooLarge());
      return;
    }
    const chunks: Buffer[] = [];
    let length = 0;
    const timer = setTimeout(
      () => fail(new BodyTimeoutError(`The body did not arrive within ${deviceBodyTimeoutMs} ms.`)),
      deviceBodyTimeoutMs,
    );
    const fail = (error: Error): void => {
      clearTimeout(timer);
      incoming.off('data', take);
      incoming.pause();
      reject(error);
    };
    const take = (chunk: Buffer): void => {
      length += chunk.length;
      if (length > deviceBodyBytesMax) fail(tooLarge());
      else chunks.push(chunk);
    };
    incoming.on('data', take);
    incoming.once('end', () => {
      clearTimeout(timer);
      resolve((chunks.length === 1 ? (chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(chunks)).toString('utf8'));
    });
    // Comes after the end too, and after an error.
    incoming.once('close', () => {
      if (!incoming.readableEnded) fail(new ClientGoneError());
    });
    incoming.on('error', () => undefined);
  });
}
