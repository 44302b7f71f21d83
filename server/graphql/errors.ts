/**
 * Refusals as this edge tells them. A mutation answers one as data: the union of its result and of types that implement `Error`.
 * Queries and subscriptions refuse by a GraphQL error with `extensions.code`. What is no refusal is a defect: one masked error with
 * a reference number, which is in the log too.
 */
import { randomUUID } from 'node:crypto';
import { GraphQLError } from 'graphql';
import type { Logger } from 'pino';
import * as refusals from '../domain/errors.ts';
import { ERROR_CODES, RateLimitedError, Refusal } from '../domain/errors.ts';
import type { ErrorCode } from '../domain/errors.ts';
import { builder } from './builder.ts';

/** The status where a request is refused before GraphQL begins. A refusal inside an answer is told with 200. */
export const HTTP_STATUS = {
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
  SLOW_CONSUMER: 429,
  UNAVAILABLE: 503,
} as const satisfies Record<ErrorCode, number>;

const ErrorCodeEnum = builder.enumType('ErrorCode', { values: ERROR_CODES });

/** A refusal as a value: what a resolver returns that is an Error itself would count as thrown. */
export interface Refused {
  readonly refusal: Refusal;
}

const ErrorInterface = builder.interfaceRef<Refused>('Error').implement({
  description: 'An act was refused, and has changed nothing.',
  fields: (t) => ({
    code: t.field({ type: ErrorCodeEnum, resolve: ({ refusal }) => refusal.code }),
    message: t.string({ description: 'For people.', resolve: ({ refusal }) => refusal.message }),
  }),
});

type RefusalClass = new (...args: never[]) => Refusal;

/** Only subscriptions end by these. */
const OF_SUBSCRIPTIONS: readonly RefusalClass[] = [refusals.CursorExpiredError, refusals.SlowConsumerError];

/** One object type for each refusal that a mutation may answer, named like its class. */
export const errorTypes = Object.values(refusals)
  .filter((value): value is typeof value & RefusalClass => typeof value === 'function' && value !== Refusal)
  .filter((refusal) => !OF_SUBSCRIPTIONS.includes(refusal))
  .map((refusal) =>
    builder.objectRef<Refused>(refusal.name).implement({ interfaces: [ErrorInterface], isTypeOf: isRefused }),
  );

builder.objectField(
  errorTypes.find((type) => type.name === RateLimitedError.name) ?? raise('RateLimitedError has no object type'),
  'retryAfterMs',
  (t) =>
    t.int({ resolve: ({ refusal }) => (refusal instanceof RateLimitedError ? Math.ceil(refusal.retryAfterMs) : 0) }),
);

function raise(message: string): never {
  throw new Error(message);
}

export function isRefused(value: unknown): value is Refused {
  return typeof value === 'object' && value !== null && 'refusal' in value && value.refusal instanceof Refusal;
}

/** How an error leaves the house. */
export function translate(error: unknown, logger: Logger): GraphQLError {
  if (error instanceof GraphQLError) {
    const cause = error.originalError;
    // What GraphQL itself says of a document or of its variables. A value that cannot be serialised has a cause: our defect.
    if (cause === undefined) return error.extensions['code'] === undefined ? withCode(error, 'VALIDATION') : error;
    if (cause instanceof Refusal) return withCode(error, cause.code);
    return masked(error, logger);
  }
  if (error instanceof Refusal) return new GraphQLError(error.message, { extensions: { code: error.code } });
  return masked(error, logger);
}

function withCode(error: GraphQLError, code: ErrorCode): GraphQLError {
  const { nodes, source, positions, path } = error;
  return new GraphQLError(error.message, {
    nodes: nodes ?? null,
    source: source ?? null,
    positions: positions ?? null,
    path: path ?? null,
    extensions: { code },
  });
}

function masked(error: unknown, logger: Logger): GraphQLError {
  const reference = randomUUID();
  logger.error(
    { err: error instanceof GraphQLError ? error.originalError : error, reference },
    'a GraphQL operation failed',
  );
  const path = error instanceof GraphQLError ? error.path : undefined;
  return new GraphQLError(`Something went wrong here. The server's log says more under ${reference}.`, {
    path: path ?? null,
    extensions: { code: 'INTERNAL', reference },
  });
}
