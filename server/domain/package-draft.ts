/** What a package must be, as far as its words alone tell: before a byte is received and without a look at the database. */
import type { ChecksumAlgorithm, PackageType } from '../../prisma/client/enums.ts';
import { ChecksumMismatchError, ValidationError } from './errors.ts';
import { longText, SHORT_TEXT_CHARACTERS_MAX, shortText } from './text.ts';

/** As people give it: absent, null or a text. */
type Optional<T> = T | null | undefined;

export interface PackageInput {
  readonly title: string;
  readonly version: string;
  readonly type: PackageType;
  readonly deviceProfileId: string;
  readonly tag?: Optional<string>;
  readonly description?: Optional<string>;
  readonly checksumAlgorithm?: Optional<ChecksumAlgorithm>;
  readonly checksum?: Optional<string>;
  /** Exactly one of the two. */
  readonly file?: Optional<FileDescription>;
  readonly url?: Optional<string>;
  /** Bytes; for a URL only, where they cannot be counted here. */
  readonly dataSize?: Optional<number>;
}

/** What the sender says of the file, apart from its bytes. */
export interface FileDescription {
  readonly name: string;
  /** A media type; one that is none becomes application/octet-stream. */
  readonly contentType?: Optional<string>;
}

/** Trimmed and found right. */
export interface PackageDraft {
  readonly title: string;
  readonly version: string;
  readonly type: PackageType;
  readonly deviceProfileId: string;
  readonly tag: string | null;
  readonly description: string | null;
  readonly checksumAlgorithm: ChecksumAlgorithm;
  /** Lower-case hex. */
  readonly checksum: string | null;
  /** Null in a package by URL, as the content type. */
  readonly fileName: string | null;
  readonly contentType: string | null;
  /** Null in a package by file. */
  readonly url: string | null;
  /** Bytes, as said with a URL; those of a file are counted. */
  readonly dataSize: number | null;
}

const HEX_DIGITS = {
  MD5: 32,
  SHA256: 64,
  SHA384: 96,
  SHA512: 128,
  CRC32: 8,
  MURMUR3_32: 8,
  MURMUR3_128: 32,
} as const satisfies Record<ChecksumAlgorithm, number>;

/** What devices can fetch from. A browser runs some of the others (javascript, data), and file means another machine's files. */
const URL_SCHEMES = ['http', 'https', 'coap', 'coaps', 'coap+tcp', 'coaps+tcp', 'ftp', 'ftps', 'sftp', 'tftp'] as const;

/** RFC 9110, 8.3.1; parameters are not looked into. It is handed to devices in a header. */
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+(?: *;[\x20-\x7e]*)?$/;
const MEDIA_TYPE_UNKNOWN = 'application/octet-stream';

/** @throws ValidationError, ChecksumMismatchError */
export function draftPackage(input: PackageInput): PackageDraft {
  const { file, url } = input;
  if (file != null && url == null) return { ...wordsOf(input), ...ofFile(input, file) };
  if (url != null && file == null) return { ...wordsOf(input), ...ofUrl(input, url) };
  throw new ValidationError('Give exactly one of file and url.');
}

function wordsOf(input: PackageInput) {
  return {
    title: shortText('The title', input.title),
    version: shortText('The version', input.version),
    type: input.type,
    deviceProfileId: input.deviceProfileId,
    tag: input.tag == null ? null : shortText('The tag', input.tag),
    description: input.description == null ? null : longText('The description', input.description),
    checksumAlgorithm: algorithmOf(input),
  };
}

function ofFile(input: PackageInput, { name, contentType }: FileDescription) {
  const algorithm = algorithmOf(input);
  if (algorithm !== 'SHA256') {
    throw new ValidationError(
      `Of a file this server computes SHA256 only, not ${algorithm}. Choose SHA256 or leave it out.`,
    );
  }
  if (input.dataSize != null)
    throw new ValidationError('The size of a file is counted. Give dataSize with a URL only.');
  const checksum = checksumOf(input);
  if (checksum !== null && !isChecksum(algorithm, checksum)) {
    throw new ChecksumMismatchError(`No file has the checksum given. ${ruleOf(algorithm)}`);
  }
  const isKnown =
    contentType != null && contentType.length <= SHORT_TEXT_CHARACTERS_MAX && MEDIA_TYPE.test(contentType);
  return {
    checksum,
    fileName: shortText('The file name', name),
    contentType: isKnown ? contentType : MEDIA_TYPE_UNKNOWN,
    url: null,
    dataSize: null,
  };
}

function ofUrl(input: PackageInput, url: string) {
  const algorithm = algorithmOf(input);
  const checksum = checksumOf(input);
  if (checksum !== null && !isChecksum(algorithm, checksum)) throw new ValidationError(ruleOf(algorithm));
  return {
    checksum,
    fileName: null,
    contentType: null,
    url: checkUrl(url),
    dataSize: checkSize(input.dataSize ?? null),
  };
}

function algorithmOf(input: PackageInput): ChecksumAlgorithm {
  return input.checksumAlgorithm ?? 'SHA256';
}

function checksumOf({ checksum }: PackageInput): string | null {
  if (checksum == null) return null;
  const trimmed = checksum.trim().toLowerCase();
  if (trimmed === '') throw new ValidationError('The checksum must not be blank. Leave it out where none is known.');
  return trimmed;
}

function isChecksum(algorithm: ChecksumAlgorithm, checksum: string): boolean {
  return checksum.length === HEX_DIGITS[algorithm] && /^[0-9a-f]*$/.test(checksum);
}

function ruleOf(algorithm: ChecksumAlgorithm): string {
  return `A ${algorithm} checksum is ${HEX_DIGITS[algorithm]} hexadecimal digits.`;
}

function checkUrl(text: string): string {
  const url = shortText('The URL', text);
  const scheme = /^([a-z][a-z0-9+.-]*):\/\/[^/\s?#]+\S*$/i.exec(url)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(url))
    throw new ValidationError('The URL must be absolute, with a host and without blanks.');
  if (!URL_SCHEMES.some((known) => known === scheme)) {
    throw new ValidationError(
      `Devices cannot fetch from a URL that begins with ${scheme}:. It may begin with ${URL_SCHEMES.join(', ')}.`,
    );
  }
  return url;
}

function checkSize(size: number | null): number | null {
  if (size === null || (Number.isSafeInteger(size) && size > 0)) return size;
  throw new ValidationError('The size must be a whole number of bytes above 0.');
}
