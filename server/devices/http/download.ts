/** `/firmware` and `/software`: bytes, whole or by range or by chunk, straight to Node's response. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http';
import type { PackageType } from '../../../prisma/client/enums.ts';
import type { Limits } from '../../config.ts';
import { UnavailableError, ValidationError } from '../../domain/errors.ts';
import type { ByteRange } from '../byte-ranges.ts';
import { chunkRange } from '../downloads.ts';
import type { Download } from '../downloads.ts';
import { answerJson } from './answer.ts';
import { ClientGoneError } from './body.ts';
import { countOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';
import { fileNameHeaders } from './file-name.ts';
import { WHOLE, rangeOf } from './range.ts';
import type { AskedRange } from './range.ts';

export class DownloadRoute {
  readonly #limits: Limits;
  /** Each holds an open file. */
  #streams = 0;

  constructor(limits: Limits) {
    this.#limits = limits;
  }

  async answer({ api, device, query, incoming, outgoing }: Exchange, type: PackageType): Promise<void> {
    const [title, version] = [query.get('title') ?? '', query.get('version') ?? ''];
    if (title === '' || version === '') throw new ValidationError('"title" and "version" are needed.');
    const [chunkBytes, index] = [countOf(query, 'size'), countOf(query, 'chunk')];
    const download = await api.download(device, type, { title, version });
    const headers = {
      'Content-Type': storableHeader(download.contentType),
      // The type is a person's word: a browser must not find another in the bytes.
      'X-Content-Type-Options': 'nosniff',
      ...fileNameHeaders(download.fileName),
    };
    const isHead = incoming.method === 'HEAD';
    if (chunkBytes > 0) {
      const range = chunkRange(chunkBytes, index, download.size);
      await this.#send(outgoing, 200, headers, download, range, isHead);
      return;
    }
    const etag = `"${download.sha256}"`;
    const whole = { ...headers, ETag: etag, 'Accept-Ranges': 'bytes' };
    const asked = isHead ? WHOLE : askedRange(incoming.headers, etag, download.size);
    if (asked.kind === 'UNSATISFIABLE') {
      outgoing.setHeader('Content-Range', `bytes */${download.size}`);
      answerJson(outgoing, 416, { status: 416, message: `The package has ${download.size} bytes.` });
    } else if (asked.kind === 'PART') {
      const { start, end } = asked.range;
      const partly = { ...whole, 'Content-Range': `bytes ${start}-${end - 1}/${download.size}` };
      await this.#send(outgoing, 206, partly, download, asked.range, isHead);
    } else await this.#send(outgoing, 200, whole, download, { start: 0, end: download.size }, isHead);
  }

  async #send(
    outgoing: ServerResponse,
    status: number,
    headers: Record<string, string>,
    download: Download,
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
      length <= this.#limits.chunkBufferBytesMax ? [await wholeOf(download, range)] : await this.#open(download, range);
    outgoing.writeHead(status, head);
    await this.#write(outgoing, pieces, download, range);
    outgoing.end();
  }

  async #open(download: Download, range: ByteRange): Promise<AsyncIterable<Buffer>> {
    if (this.#streams >= this.#limits.downloadStreamsMax) {
      throw new UnavailableError('Too many packages are being downloaded. Try again soon.');
    }
    this.#streams += 1;
    try {
      const stream = await download.open(range);
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
    download: Download,
    range: ByteRange,
  ): Promise<void> {
    const stall = setTimeout(() => outgoing.destroy(), this.#limits.downloadStallMs);
    let at = range.start;
    try {
      for await (const piece of pieces) {
        await leave(outgoing, piece);
        stall.refresh();
        download.served({ start: at, end: at + piece.length });
        at += piece.length;
      }
    } finally {
      clearTimeout(stall);
    }
    if (at !== range.end) throw new Error(`package ${download.sha256} ended at byte ${at} of ${range.end}`);
  }
}

async function wholeOf(download: Download, range: ByteRange): Promise<Buffer> {
  const bytes = await download.read(range);
  if (bytes.length === range.end - range.start) return bytes;
  throw new Error(
    `package ${download.sha256} has ${bytes.length} of ${range.end - range.start} bytes from ${range.start}`,
  );
}

/** Resolves once the system has taken the bytes. @throws ClientGoneError */
function leave(outgoing: ServerResponse, bytes: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    const gone = (): void => reject(new ClientGoneError());
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
