import { describe, expect, test } from 'vitest';
import { STATUS } from '../../server/devices/http/answer.ts';
import { fileNameHeaders } from '../../server/adapters/http-bytes/file-name.ts';
import { rangeOf } from '../../server/adapters/http-bytes/range.ts';

describe('a range', () => {
  test.each([
    ['bytes=0-0', 0, 1],
    ['bytes=0-9', 0, 10],
    ['bytes=90-', 90, 100],
    ['bytes=90-1000', 90, 100],
    ['bytes=-1', 99, 100],
    ['bytes=-1000', 0, 100],
    ['Bytes = 5 - 6', 5, 7],
    [`bytes=0-${'9'.repeat(400)}`, 0, 100],
  ])('%s is a part', (header, start, end) => {
    expect(rangeOf(header, 100)).toEqual({ kind: 'PART', range: { start, end } });
  });

  test.each([
    undefined,
    '',
    'bytes=',
    'bytes=-',
    'bytes=5-4',
    'bytes=a-b',
    'bytes=0-1,5-6',
    'chunks=0-1',
    'bytes=0--1',
  ])('%s asks for the whole', (header) => {
    expect(rangeOf(header, 100)).toEqual({ kind: 'WHOLE' });
  });

  test.each(['bytes=100-', 'bytes=100-200', 'bytes=-0', `bytes=${'9'.repeat(400)}-`])(
    '%s cannot be satisfied',
    (header) => {
      expect(rangeOf(header, 100)).toEqual({ kind: 'UNSATISFIABLE' });
    },
  );
});

describe('a file name in headers', () => {
  test('stands as it is', () => {
    expect(fileNameHeaders('fw 1.1.bin')).toEqual({
      'Content-Disposition': 'attachment;filename="fw 1.1.bin"',
      'x-filename': 'fw 1.1.bin',
    });
  });

  test('neither leaves its quotes nor ends the header', () => {
    expect(fileNameHeaders('a"; x="\\b\r\nSet-Cookie: c=1')).toEqual({
      'Content-Disposition': 'attachment;filename="a\\"; x=\\"\\\\b__Set-Cookie: c=1"',
      'x-filename': 'a"; x="\\b__Set-Cookie: c=1',
    });
  });

  test('that is not ASCII is told in UTF-8', () => {
    const headers = fileNameHeaders("Größe'💡.bin");
    expect(headers['Content-Disposition']).toBe(
      `attachment;filename="Gr__e'_.bin";filename*=UTF-8''Gr%C3%B6%C3%9Fe%27%F0%9F%92%A1.bin`,
    );
    expect(Buffer.from(headers['x-filename'], 'latin1').toString('utf8')).toBe("Größe'💡.bin");
  });
});

test('every refusal has one HTTP status for devices', () => {
  expect(STATUS).toMatchInlineSnapshot(`
    {
      "CHECKSUM_MISMATCH": 422,
      "CONFLICT": 409,
      "CURSOR_EXPIRED": 410,
      "FORBIDDEN": 403,
      "INCOMPATIBLE": 409,
      "IN_USE": 409,
      "NOT_FOUND": 404,
      "RATE_LIMITED": 429,
      "SLOW_CONSUMER": 408,
      "TOO_LARGE": 413,
      "UNAUTHENTICATED": 401,
      "UNAVAILABLE": 503,
      "UPLOAD_INTERRUPTED": 400,
      "VALIDATION": 400,
    }
  `);
});
