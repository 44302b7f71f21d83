/** Answers with a JSON body or none, and the one translation of refusals to HTTP for devices. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import { RateLimitedError, Refusal } from '../../domain/errors.ts';
import type { ErrorCode } from '../../domain/errors.ts';
import { BodyTimeoutError, ClientGoneError } from './body.ts';

export const STATUS = {
  VALIDATION: 400,
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  NOT_FOUND: 404,
  CONFLICT: 409,
  INCOMPATIBLE: 409,
  IN_USE: 409,
  TOO_LARGE: 413,
  CHECKSUM_MISMATCH: 422,
  UPLOAD_INTERRUPTED: 400,
  RATE_LIMITED: 429,
  CURSOR_EXPIRED: 410,
  SLOW_CONSUMER: 408,
  UNAVAILABLE: 503,
} as const satisfies Record<ErrorCode, number>;

const RETRY_AFTER_S = 1;

/** 200 without a body. */
export function answerEmpty(outgoing: ServerResponse): void {
  outgoing.writeHead(200, { 'Content-Length': 0 });
  outgoing.end();
}

export function answerJson(outgoing: ServerResponse, status: number, json: object | string): void {
  const text = typeof json === 'string' ? json : JSON.stringify(json);
  outgoing.writeHead(status, { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(text) });
  outgoing.end(text);
}

/** Nothing of what went wrong inside is told. */
export function refuse(
  incoming: IncomingMessage,
  outgoing: ServerResponse,
  error: unknown,
  logger: Pick<Logger, 'error'>,
): void {
  if (error instanceof ClientGoneError || outgoing.destroyed) return;
  const isExpected = error instanceof Refusal || error instanceof BodyTimeoutError;
  if (!isExpected) logger.error({ err: error }, 'a device could not be answered');
  if (outgoing.headersSent) {
    // The rest of the body cannot be had: a cut connection says so, a short body would not.
    outgoing.destroy();
    return;
  }
  const status = statusOf(error);
  if (status === STATUS.UNAVAILABLE) outgoing.setHeader('Retry-After', RETRY_AFTER_S);
  if (error instanceof RateLimitedError) outgoing.setHeader('Retry-After', Math.ceil(error.retryAfterMs / 1_000));
  // What was not read of the request would be taken for the next one.
  if (!incoming.complete) outgoing.setHeader('Connection', 'close');
  answerJson(outgoing, status, { status, message: isExpected ? error.message : 'Something went wrong here.' });
}

function statusOf(error: unknown): number {
  if (error instanceof Refusal) return STATUS[error.code];
  return error instanceof BodyTimeoutError ? 408 : 500;
}
