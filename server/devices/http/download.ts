/** `/firmware` and `/software`: bytes, whole or by range or by chunk. */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PackageType } from '../../../prisma/client/enums.ts';
import { ValidationError } from '../../domain/errors.ts';
import type { ByteRange, PackageFile } from '../../domain/ports.ts';
import { chunkRange } from '../downloads.ts';
import { countOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/** Hands out bytes over HTTP (adapters/http-bytes). */
export interface BytesAnswer {
  /** The file, or the range of it that is asked for. */
  answer(incoming: IncomingMessage, outgoing: ServerResponse, file: PackageFile): Promise<void>;
  /** A part that is an answer of its own, perhaps an empty one. */
  answerPart(incoming: IncomingMessage, outgoing: ServerResponse, file: PackageFile, range: ByteRange): Promise<void>;
}

export async function answerDownload(
  { api, device, query, incoming, outgoing }: Exchange,
  type: PackageType,
  bytes: BytesAnswer,
): Promise<void> {
  const [title, version] = [query.get('title') ?? '', query.get('version') ?? ''];
  if (title === '' || version === '') throw new ValidationError('"title" and "version" are needed.');
  const [chunkBytes, index] = [countOf(query, 'size'), countOf(query, 'chunk')];
  const file = await api.download(device, type, { title, version });
  if (chunkBytes === 0) await bytes.answer(incoming, outgoing, file);
  else await bytes.answerPart(incoming, outgoing, file, chunkRange(chunkBytes, index, file.size));
}
