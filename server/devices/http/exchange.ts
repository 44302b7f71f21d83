/** One request of a device that is known, and the response to it. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Limits } from '../../config.ts';
import { ValidationError } from '../../domain/errors.ts';
import type { Device } from '../credentials.ts';
import type { DeviceApi } from '../device-api.ts';

export interface Exchange {
  readonly api: DeviceApi;
  readonly limits: Limits;
  readonly device: Device;
  readonly query: URLSearchParams;
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

/** Answers, or throws what is to be answered instead. */
export type Handler = (exchange: Exchange) => Promise<void>;

/**
 * A parameter that counts something; 0 where it is absent or empty.
 * @throws ValidationError where it is anything but digits
 */
export function countOf(query: URLSearchParams, name: string): number {
  const text = query.get(name) ?? '';
  if (!/^\d*$/.test(text)) throw new ValidationError(`"${name}" must be a whole number, not negative.`);
  // Beyond it numbers are inexact, and every size and time is smaller.
  return Math.min(Number(text), Number.MAX_SAFE_INTEGER);
}
