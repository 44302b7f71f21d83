/**
 * Package bytes over HTTP, whole or by range or by part, straight to Node's response: the same for devices and for people. A slow
 * reader holds one piece in memory, one that stalls is ended, and a cut download resumes by range (RFC 9110, sections 13 and 14).
 */
import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import type { Limits } from '../../config.ts';
import { UnavailableError } from '../../domain/errors.ts';
import type { ByteRange, PackageFile } from '../../domain/ports.ts';
import { fileNameHeaders } from './file-name.ts';
import { WHOLE, rangeOf } from './range.ts';
import type { AskedRange } from './range.ts';

type BytesLimits = Pick<Limits, 'chunkBufferBytesMax' | 'downloadStallMs' | 'downloadStreamsMax'>;

export class HttpBytes {
  readonly #limits: BytesLimits;
  /** Each holds an open file. */
  #streams = 0;

  constructor(limits: BytesLimits) {
    this.#limits = limits;
  }

  /** The file, or the range of it that is asked for. HEAD is answered with the headers alone. */
  async answer({ method, headers }: IncomingMessage, outgoing: ServerResponse, file: PackageFile): Promise<void> {
    const isHead = method === 'HEAD';
    const etag = `"${file.sha256}"`;
    const whole = { ...headersOf(file), ETag: etag, 'Accept-Ranges': 'bytes' };
    const asked = isHead ? WHOLE : askedRange(headers, etag, file.size);
    if (asked.kind === 'UNSATISFIABLE') {
      const json = JSON.stringify({ status: 416, message: `The package has ${file.size} bytes.` });
      const length = { 'Content-Type': 'application/json', 'Content-Length': Buffer.byteLength(json) };
      outgoing.writeHead(416, { ...length, 'Content-Range': `bytes */${file.size}` }).end(json);
    } else if (asked.kind === 'PART') {
      const { start, end } = asked.range;
      const partly = { ...whole, 'Content-Range': `bytes ${start}-${end - 1}/${file.size}` };
      await this.#send(outgoing, 206, partly, file, asked.range, isHead);
    } else await this.#send(outgoing, 200, whole, file, { start: 0, end: file.size }, isHead);
  }

  /** A part that is an answer of its own, perhaps an empty one: a chunk. */
  async answerPart(
    { method }: IncomingMessage,
    outgoing: ServerResponse,
    file: PackageFile,
    range: ByteRange,
  ): Promise<void> {
    await this.#send(outgoing, 200, headersOf(file), file, range, method === 'HEAD');
  }

  async #send(
    outgoing: ServerResponse,
    status: number,
    headers: Record<string, string>,
    file: PackageFile,
    range: ByteRange,
    isHead: boolean,
  ): Promise<void> {
    const length = range.end - range.start;
    const head = { ...headers, 'Content-Length': length };
    if (isHead || length === 0) {
      outgoing.writeHead(status, head).end();
      return;
    }
    const pieces =
      length <= this.#limits.chunkBufferBytesMax ? [await wholeOf(file, range)] : await this.#open(file, range);
    outgoing.writeHead(status, head);
    await this.#write(outgoing, pieces, file, range);
    outgoing.end();
  }

  async #open(file: PackageFile, range: ByteRange): Promise<AsyncIterable<Buffer>> {
    if (this.#streams >= this.#limits.downloadStreamsMax) {
      throw new UnavailableError('Too many packages are being downloaded. Try again soon.');
    }
    this.#streams += 1;
    try {
      const stream = await file.open(range);
      stream.once('close', () => (this.#streams -= 1));
      return stream;
    } catch (error) {
      this.#streams -= 1;
      throw error;
    }
  }

  /** One piece after the other has left for the device, so a slow one holds no more than one in memory, and what went out is known. */
  async #write(
    outgoing: ServerResponse,
    pieces: Iterable<Buffer> | AsyncIterable<Buffer>,
    file: PackageFile,
    range: ByteRange,
  ): Promise<void> {
    const stall = setTimeout(() => outgoing.destroy(), this.#limits.downloadStallMs);
    let at = range.start;
    try {
      for await (const piece of pieces) {
        await leave(outgoing, piece);
        stall.refresh();
        file.served({ start: at, end: at + piece.length });
        at += piece.length;
      }
    } finally {
      clearTimeout(stall);
    }
    if (at !== range.end) throw new Error(`package ${file.sha256} ended at byte ${at} of ${range.end}`);
  }
}

async function wholeOf(file: PackageFile, range: ByteRange): Promise<Buffer> {
  const bytes = await file.read(range);
  if (bytes.length === range.end - range.start) return bytes;
  throw new Error(`package ${file.sha256} has ${bytes.length} of ${range.end - range.start} bytes from ${range.start}`);
}

/** Resolves once the system has taken the bytes; rejects once nobody takes them any more. */
function leave(outgoing: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new Error('The client is gone.'));
    if (outgoing.destroyed) {
      gone();
      return;
    }
    outgoing.once('close', gone);
    outgoing.write(bytes, (error) => {
      outgoing.off('close', gone);
      if (error == null) resolve();
      else gone();
    });
  });
}

/** A range counts only for the representation that it was meant for: If-Range takes our ETag; a date of it we never gave. */
function askedRange(headers: IncomingHttpHeaders, etag: string, size: number): AskedRange {
  const condition = headers['if-range'];
  return condition === undefined || condition === etag ? rangeOf(headers.range, size) : WHOLE;
}

function storableHeader(contentType: string): string {
  return /^[\u0020-\u007e]+$/.test(contentType) ? contentType : 'application/octet-stream';
}

function headersOf({ contentType, fileName }: PackageFile): Record<string, string> {
  return {
    'Content-Type': storableHeader(contentType),
    // The type is a person's word: a browser must not find another in the bytes.
    'X-Content-Type-Options': 'nosniff',
    ...fileNameHeaders(fileName),
  };
}
