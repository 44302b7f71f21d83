/**
 * Files in a GraphQL multipart request (https://github.com/jaydenseric/graphql-multipart-request-spec). Yoga's own parser holds a
 * file in memory (1.15 GB for 1 GiB), so graphql-upload-ts reads the request instead, and spools the file to the temporary directory.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { Upload, processRequest } from 'graphql-upload-ts';
import type { FileUpload } from 'graphql-upload-ts';
import { GraphQLError } from 'graphql';
import { ForbiddenError, Refusal, TooLargeError, UploadInterruptedError, ValidationError } from '../domain/errors.ts';
import { builder } from './builder.ts';
import type { Services } from './context.ts';

export type File = Promise<FileUpload>;

builder.scalarType('Upload', {
  description: 'A file of a GraphQL multipart request.',
  serialize: () => {
    throw new GraphQLError('An upload is never answered.');
  },
  parseValue: (value) => {
    if (value instanceof Upload) return value.promise;
    throw new GraphQLError('An upload comes in a GraphQL multipart request.');
  },
});

/** Any one of them makes a browser ask before it sends the request from another site's page. */
const PREFLIGHT_HEADERS = ['apollo-require-preflight', 'graphql-require-preflight', 'x-graphql-yoga-csrf'];

export interface UploadLimits {
  readonly packageBytesMax: number;
  /** Multipart around the file, in bytes. */
  readonly envelopeBytesMax: number;
}

export function uploadLimitsOf({ packageBytesMax, limits }: Services): UploadLimits {
  return { packageBytesMax, envelopeBytesMax: limits.uploadEnvelopeBytesMax };
}

export function isMultipart(request: IncomingMessage): boolean {
  return request.headers['content-type']?.toLowerCase().startsWith('multipart/form-data') === true;
}

/** What the headers alone forbid. @throws ForbiddenError, TooLargeError */
export function admitMultipart(request: IncomingMessage, limits: UploadLimits): void {
  if (!PREFLIGHT_HEADERS.some((name) => request.headers[name] !== undefined)) {
    throw new ForbiddenError(`A multipart request carries one of the headers ${PREFLIGHT_HEADERS.join(', ')}.`);
  }
  const declared = Number(request.headers['content-length'] ?? 0);
  if (declared > limits.packageBytesMax + limits.envelopeBytesMax) throw tooLarge(limits);
}

/**
 * Resolves once the words of the operation are there; the file goes on arriving, and is cleaned up when the response is closed.
 * @throws ValidationError, TooLargeError, UploadInterruptedError
 */
export async function readMultipart(
  request: IncomingMessage,
  response: ServerResponse,
  limits: UploadLimits,
): Promise<Record<string, unknown>> {
  const operation: unknown = await processRequest(request, response, {
    maxFileSize: limits.packageBytesMax + 1,
    maxFieldSize: limits.envelopeBytesMax,
    maxFiles: 1,
  }).catch((error: unknown) => {
    throw refusalOf(error, limits);
  });
  if (typeof operation === 'object' && operation !== null && !Array.isArray(operation)) {
    return operation as Record<string, unknown>;
  }
  throw new ValidationError('One operation a request.');
}

/** What is said of the file, once its part of the request begins. @throws ValidationError where it is missing, UploadInterruptedError */
export async function fileOf(sent: File, limits: UploadLimits): Promise<FileUpload> {
  try {
    return await sent;
  } catch (error) {
    throw refusalOf(error, limits);
  }
}

/** The bytes of a file as they arrive. What ends them early is told as a refusal. */
export function bytesOf(file: FileUpload, limits: UploadLimits): Readable {
  async function* bytes(): AsyncGenerator<Buffer> {
    try {
      yield* file.createReadStream();
    } catch (error) {
      throw refusalOf(error, limits);
    }
  }
  return Readable.from(bytes(), { objectMode: false });
}

/** What graphql-upload-ts says of a request: an error with an HTTP status. */
function refusalOf(error: unknown, limits: UploadLimits): unknown {
  if (error instanceof Refusal || !(error instanceof Error)) return error;
  const status = 'status' in error ? error.status : undefined;
  if (status === 413) return tooLarge(limits);
  if (status === 499) return new UploadInterruptedError('The upload was cut.');
  // A full disk, for example.
  if ('syscall' in error) return error;
  // busboy's own words for a malformed body carry no status.
  return new ValidationError(status === 400 ? error.message : 'The multipart body is malformed.');
}

function tooLarge(limits: UploadLimits): TooLargeError {
  return new TooLargeError(
    `A package may have at most ${limits.packageBytesMax} bytes, and what surrounds it ${limits.envelopeBytesMax}.`,
  );
}
