/** Every refusal, and how each edge tells it: one table. A new edge adds its column here. */
import { describe, expect, it } from 'vitest';
import { STATUS as DEVICE_STATUS } from '../../server/devices/http/answer.ts';
import * as errors from '../../server/domain/errors.ts';
import { ERROR_CODES, Refusal } from '../../server/domain/errors.ts';
import { HTTP_STATUS } from '../../server/graphql/errors.ts';
import { schema } from '../../server/graphql/schema.ts';

type RefusalClass = new (...args: any[]) => Refusal;

const classes = Object.values(errors as Record<string, unknown>).filter(
  (value): value is RefusalClass => typeof value === 'function' && value.prototype instanceof Refusal,
);

const COLUMNS: Readonly<Record<string, (refusal: Refusal) => string | number>> = {
  refusal: ({ name }) => name,
  code: ({ code }) => code,
  'as data of a mutation': ({ name }) => (schema.getType(name) === undefined ? '–' : name),
  'status before GraphQL': ({ code }) => HTTP_STATUS[code],
  'status for devices': ({ code }) => DEVICE_STATUS[code],
};

describe('refusals', () => {
  it('are told as this table says', () => {
    const rows = classes.map((refusal) => Object.values(COLUMNS).map((tell) => String(tell(new refusal('…', 1_000)))));
    const table = [Object.keys(COLUMNS), ...rows];
    const widths = Object.keys(COLUMNS).map((_, column) => Math.max(...table.map((row) => row[column]!.length)));
    const text = table
      .map((row) =>
        row
          .map((cell, column) => cell.padEnd(widths[column]!))
          .join(' | ')
          .trimEnd(),
      )
      .join('\n');
    expect(`\n${text}\n`).toMatchInlineSnapshot(`
      "
      refusal                | code               | as data of a mutation  | status before GraphQL | status for devices
      ValidationError        | VALIDATION         | ValidationError        | 400                   | 400
      UnauthenticatedError   | UNAUTHENTICATED    | UnauthenticatedError   | 401                   | 401
      ForbiddenError         | FORBIDDEN          | ForbiddenError         | 403                   | 403
      NotFoundError          | NOT_FOUND          | NotFoundError          | 404                   | 404
      ConflictError          | CONFLICT           | ConflictError          | 409                   | 409
      IncompatibleError      | INCOMPATIBLE       | IncompatibleError      | 409                   | 409
      InUseError             | IN_USE             | InUseError             | 409                   | 409
      TooLargeError          | TOO_LARGE          | TooLargeError          | 413                   | 413
      ChecksumMismatchError  | CHECKSUM_MISMATCH  | ChecksumMismatchError  | 422                   | 422
      UploadInterruptedError | UPLOAD_INTERRUPTED | UploadInterruptedError | 400                   | 400
      RateLimitedError       | RATE_LIMITED       | RateLimitedError       | 429                   | 429
      CursorExpiredError     | CURSOR_EXPIRED     | –                      | 410                   | 410
      SlowConsumerError      | SLOW_CONSUMER      | –                      | 429                   | 408
      UnavailableError       | UNAVAILABLE        | UnavailableError       | 503                   | 503
      "
    `);
  });

  it('have one class for each code', () => {
    expect(classes.map((refusal) => new refusal('…', 0).code).toSorted()).toEqual([...ERROR_CODES].toSorted());
  });
});
