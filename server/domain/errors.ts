/** Every expected refusal, as a class with a code. Each edge translates a code once; what is not a Refusal is a defect. */

export const ERROR_CODES = [
  'VALIDATION',
  'UNAUTHENTICATED',
  'FORBIDDEN',
  'NOT_FOUND',
  'CONFLICT',
  'INCOMPATIBLE',
  'IN_USE',
  'TOO_LARGE',
  'CHECKSUM_MISMATCH',
  'UPLOAD_INTERRUPTED',
  'RATE_LIMITED',
  'CURSOR_EXPIRED',
  'SLOW_CONSUMER',
  'UNAVAILABLE',
] as const;

export type ErrorCode = (typeof ERROR_CODES)[number];

/** An act was refused and has changed nothing. `message` is for people and holds nothing that they may not know. */
export abstract class Refusal extends Error {
  abstract readonly code: ErrorCode;

  override get name(): string {
    return this.constructor.name;
  }
}

/** What was sent breaks a rule that the sender can look up. */
export class ValidationError extends Refusal {
  readonly code = 'VALIDATION';
}

/** Nobody is signed in, or the credential is unknown, expired or withdrawn. */
export class UnauthenticatedError extends Refusal {
  readonly code = 'UNAUTHENTICATED';

  constructor(message = 'Sign in first.') {
    super(message);
  }
}

/** The act is not for this role. Used only where the thing itself may be known; else it is NOT_FOUND. */
export class ForbiddenError extends Refusal {
  readonly code = 'FORBIDDEN';

  constructor(message = 'Your role does not allow this.') {
    super(message);
  }
}

/** The thing does not exist, or is not for the asker to know. */
export class NotFoundError extends Refusal {
  readonly code = 'NOT_FOUND';

  constructor(what: string) {
    super(`${what} was not found.`);
  }
}

/** Something that must be unique exists already. */
export class ConflictError extends Refusal {
  readonly code = 'CONFLICT';
}

/** A package that does not fit the device profile or the type. */
export class IncompatibleError extends Refusal {
  readonly code = 'INCOMPATIBLE';
}

/** It cannot go while something refers to it. */
export class InUseError extends Refusal {
  readonly code = 'IN_USE';
}

/** A body, package or attribute beyond its limit. */
export class TooLargeError extends Refusal {
  readonly code = 'TOO_LARGE';
}

/** The bytes that arrived are not the bytes that were announced. */
export class ChecksumMismatchError extends Refusal {
  readonly code = 'CHECKSUM_MISMATCH';
}

/** The sender went away before the last byte. */
export class UploadInterruptedError extends Refusal {
  readonly code = 'UPLOAD_INTERRUPTED';
}

/** Too many attempts; `retryAfterMs` says when the next one is heard. */
export class RateLimitedError extends Refusal {
  readonly code = 'RATE_LIMITED';

  readonly retryAfterMs: number;

  constructor(message: string, retryAfterMs: number) {
    super(message);
    this.retryAfterMs = retryAfterMs;
  }
}

/** A cursor of another log, or older than the log keeps. */
export class CursorExpiredError extends Refusal {
  readonly code = 'CURSOR_EXPIRED';

  constructor() {
    super('The cursor is older than the log keeps, or of another log. Take a new snapshot and begin without a cursor.');
  }
}

/** A subscriber that does not read what it is sent. */
export class SlowConsumerError extends Refusal {
  readonly code = 'SLOW_CONSUMER';

  constructor() {
    super('Events were not read fast enough. Resume from the last cursor.');
  }
}

/** The server cannot do it now and can later: it is stopping, or a queue is full. */
export class UnavailableError extends Refusal {
  readonly code = 'UNAVAILABLE';
}
