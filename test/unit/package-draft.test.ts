import { describe, expect, test } from 'vitest';
import { ChecksumMismatchError, ValidationError } from '../../server/domain/errors.ts';
import { draftPackage } from '../../server/domain/package-draft.ts';
import type { PackageInput } from '../../server/domain/package-draft.ts';

const SHA256 = 'ab'.repeat(32);

const OF_FILE: PackageInput = {
  title: 'Thermostat',
  version: '1.10',
  type: 'FIRMWARE',
  deviceProfileId: 'a profile',
  file: { name: 'thermostat.bin', contentType: 'application/zip' },
};

const { file: _file, ...withoutFile } = OF_FILE;
const OF_URL: PackageInput = { ...withoutFile, url: 'https://cdn.example.com/fw/1.10.bin?sig=a%20b' };

describe('words', () => {
  test('P1 all are trimmed, what may be absent may be null', () => {
    const input = {
      ...OF_FILE,
      title: '  Thermostat ',
      version: '\t1.10',
      tag: ' beta\n',
      description: ' two\nlines ',
    };
    expect(draftPackage(input)).toEqual({
      title: 'Thermostat',
      version: '1.10',
      type: 'FIRMWARE',
      deviceProfileId: 'a profile',
      tag: 'beta',
      description: 'two\nlines',
      checksumAlgorithm: 'SHA256',
      checksum: null,
      fileName: 'thermostat.bin',
      contentType: 'application/zip',
      url: null,
      dataSize: null,
    });
    const bare = draftPackage({ ...OF_FILE, tag: null, description: null, checksum: null, checksumAlgorithm: null });
    expect(bare).toMatchObject({ tag: null, description: null, checksum: null, checksumAlgorithm: 'SHA256' });
  });

  const short: [string, string, (text: string) => PackageInput][] = [
    ['title', 'The title', (title) => ({ ...OF_FILE, title })],
    ['version', 'The version', (version) => ({ ...OF_FILE, version })],
    ['tag', 'The tag', (tag) => ({ ...OF_FILE, tag })],
    ['file name', 'The file name', (name) => ({ ...OF_FILE, file: { name } })],
    ['url', 'The URL', (url) => ({ ...OF_URL, url })],
  ];

  test.each(short)('P1 a blank %s is refused', (_field, name, input) => {
    for (const blank of ['', ' ', '\u00a0\t\n']) {
      expect(() => draftPackage(input(blank))).toThrow(new ValidationError(`${name} must not be blank.`));
    }
  });

  test.each(short)('P1 a %s of 255 characters is taken, one more is refused', (field, name, input) => {
    const fill = (length: number) => (field === 'url' ? `http://h/${'x'.repeat(length - 9)}` : '😀'.repeat(length));
    expect(() => draftPackage(input(fill(255)))).not.toThrow();
    expect(() => draftPackage(input(fill(256)))).toThrow(
      new ValidationError(`${name} must have at most 255 characters.`),
    );
  });

  test.each(short)('P1 a control character in the %s is refused', (_field, name, input) => {
    for (const character of ['\0', '\n', '\r', '\t', '\u001b', '\u007f', '\u0085', '\u2028', '\ud800']) {
      expect(() => draftPackage(input(`http://a${character}b/c`))).toThrow(
        new ValidationError(`${name} must not hold control characters.`),
      );
    }
  });

  test('a description may have lines, be blank, and 4,096 characters at most', () => {
    expect(described(' \n ')).toBeNull();
    expect(described('a\r\n\tb')).toBe('a\r\n\tb');
    expect(described('x'.repeat(4_096))).toHaveLength(4_096);
    expect(() => described('x'.repeat(4_097))).toThrow(ValidationError);
    expect(() => described('a\0b')).toThrow(ValidationError);
  });
});

describe('source', () => {
  test('P6 a package is by file or by URL: neither and both are refused', () => {
    const refusal = new ValidationError('Give exactly one of file and url.');
    expect(() => draftPackage(withoutFile)).toThrow(refusal);
    expect(() => draftPackage({ ...withoutFile, file: null, url: null })).toThrow(refusal);
    expect(() => draftPackage({ ...OF_FILE, url: 'https://example.com/' })).toThrow(refusal);
  });

  test.each(['https://example.com', 'HTTP://10.0.0.1:8080/a', 'coap://[::1]/fw', 'coaps+tcp://h/x', 'sftp://u@h/~/x'])(
    'P6 %s is a URL for devices, kept as it was given',
    (url) => {
      expect(draftPackage({ ...OF_URL, url })).toMatchObject({
        url,
        fileName: null,
        contentType: null,
        dataSize: null,
      });
    },
  );

  test.each([
    'example.com/fw.bin',
    '/fw.bin',
    'https:',
    'https:///fw.bin',
    'https:fw.bin',
    'https://exa mple.com/',
    'https://example.com/a b',
    'https://example.com:99999/',
    'https://%/',
    'javascript://example.com/%0aalert(1)',
    'javascript:alert(1)',
    'file:///etc/passwd',
    'file://host/etc/passwd',
    'data:text/plain,x',
  ])('P6 %s is none', (url) => {
    expect(() => draftPackage({ ...OF_URL, url })).toThrow(ValidationError);
  });

  test.each([
    ['text/plain; charset=utf-8', 'text/plain; charset=utf-8'],
    [undefined, 'application/octet-stream'],
    ['', 'application/octet-stream'],
    ['firmware', 'application/octet-stream'],
    ['text/plain\r\nX-Injected: 1', 'application/octet-stream'],
    [`a/${'b'.repeat(254)}`, 'application/octet-stream'],
  ])('P5 the content type %j is handed on as %j', (contentType, expected) => {
    expect(draftPackage({ ...OF_FILE, file: { name: 'f', contentType } }).contentType).toBe(expected);
  });

  test('P6 the size is said with a URL and counted with a file', () => {
    expect(draftPackage({ ...OF_URL, dataSize: 2 ** 40 }).dataSize).toBe(2 ** 40);
    for (const dataSize of [0, -1, 1.5, Number.NaN, 2 ** 53]) {
      expect(() => draftPackage({ ...OF_URL, dataSize })).toThrow(ValidationError);
    }
    expect(() => draftPackage({ ...OF_FILE, dataSize: 5 })).toThrow(ValidationError);
  });
});

describe('checksum', () => {
  test('P3 case and blanks around it do not matter', () => {
    expect(draftPackage({ ...OF_FILE, checksum: ` ${SHA256.toUpperCase()} ` }).checksum).toBe(SHA256);
  });

  test('P3 what no file can have is a mismatch before a byte is received', () => {
    for (const checksum of ['deadbeef', 'z'.repeat(64), `${SHA256}00`]) {
      expect(() => draftPackage({ ...OF_FILE, checksum })).toThrow(ChecksumMismatchError);
    }
    expect(() => draftPackage({ ...OF_FILE, checksum: ' ' })).toThrow(ValidationError);
  });

  test.each(['MD5', 'SHA384', 'SHA512', 'CRC32', 'MURMUR3_32', 'MURMUR3_128'] as const)(
    '%s of a file is not computed and says so',
    (checksumAlgorithm) => {
      expect(() => draftPackage({ ...OF_FILE, checksumAlgorithm })).toThrow(
        new ValidationError(
          `Of a file this server computes SHA256 only, not ${checksumAlgorithm}. Choose SHA256 or leave it out.`,
        ),
      );
    },
  );

  test.each([
    ['MD5', 32],
    ['SHA256', 64],
    ['SHA384', 96],
    ['SHA512', 128],
    ['CRC32', 8],
    ['MURMUR3_32', 8],
    ['MURMUR3_128', 32],
  ] as const)('P6 with a URL, %s is taken as %i hexadecimal digits', (checksumAlgorithm, digits) => {
    const input = { ...OF_URL, checksumAlgorithm, checksum: 'AB'.repeat(digits / 2) };
    expect(draftPackage(input)).toMatchObject({ checksumAlgorithm, checksum: 'ab'.repeat(digits / 2) });
    for (const checksum of ['ab'.repeat(digits / 2 + 1), 'a'.repeat(digits - 1), 'g'.repeat(digits)]) {
      expect(() => draftPackage({ ...input, checksum })).toThrow(ValidationError);
    }
  });
});

function described(description: string): string | null {
  return draftPackage({ ...OF_FILE, description }).description;
}
