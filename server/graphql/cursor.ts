/** A place in the log, as a client keeps it: opaque, and worth nothing for another log. */
import { CursorExpiredError } from '../domain/errors.ts';
import type { EventLog } from '../domain/ports.ts';

export function cursorOf({ id }: EventLog, seq: number): string {
  return Buffer.from(`${id} ${seq}`).toString('base64url');
}

/** @throws CursorExpiredError where it is of another log (what we cannot read is), or older than the log keeps */
export function seqOf(eventLog: EventLog, cursor: string): number {
  const [id, digits = ''] = Buffer.from(cursor, 'base64url').toString('utf8').split(' ');
  const seq = /^\d{1,16}$/.test(digits) ? Number(digits) : Number.NaN;
  if (id !== eventLog.id || !Number.isSafeInteger(seq)) throw new CursorExpiredError();
  requireKept(eventLog, seq);
  return seq;
}

/** @throws CursorExpiredError */
export function requireKept(eventLog: EventLog, seq: number): void {
  if (seq < eventLog.floor()) throw new CursorExpiredError();
}
