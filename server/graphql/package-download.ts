/**
 * `GET /api/packages/{id}/download`: the bytes of a package for people and their programs, with their session or key. Bytes are not
 * GraphQL's to carry; who may have them is decided as for the field `otaPackage`.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import { permit } from '../domain/access.ts';
import type { Actor } from '../domain/actor.ts';
import { NotFoundError, ValidationError } from '../domain/errors.ts';
import type { PackageFile } from '../domain/ports.ts';
import type { Services } from './context.ts';
import { translate } from './errors.ts';
import { isUuid } from './guard.ts';
import type { Operations } from './operations.ts';
import { bearerOf, refuse } from './over-http.ts';

const PATH = /^\/api\/packages\/([^/?]+)\/download(?:\?.*)?$/;

/** Hands out bytes over HTTP (adapters/http-bytes). */
export type AnswerFile = (incoming: IncomingMessage, outgoing: ServerResponse, file: PackageFile) => Promise<void>;

/** @returns whether the request is for a package; if so, it is answered */
export function packageDownload(
  operations: Operations,
  answerFile: AnswerFile,
): (request: IncomingMessage, response: ServerResponse) => boolean {
  const { services } = operations;
  const answer = async (request: IncomingMessage, response: ServerResponse, id: string): Promise<void> => {
    const token = bearerOf(request.headers.authorization);
    const { viewer } = await operations.contextOf(token, request.socket.remoteAddress ?? '');
    const actor = permit(viewer, 'otaPackage');
    if (request.method !== 'GET' && request.method !== 'HEAD')
      throw new ValidationError('A package is read: GET or HEAD.');
    await answerFile(request, response, await fileOf(services, actor, id));
  };
  return (request, response) => {
    const id = PATH.exec(request.url ?? '')?.[1];
    if (id === undefined) return false;
    answer(request, response, id).catch((error: unknown) => {
      // Whoever went away in the middle needs no answer.
      if (!response.destroyed) refuse(response, translate(error, services.logger));
    });
    return true;
  };
}

interface FileRow {
  readonly file_name: string | null;
  readonly content_type: string | null;
  readonly size: number;
  readonly sha256: string;
}

/** @throws NotFoundError, also for a package by URL: it has no bytes here */
async function fileOf({ query, packageStore }: Services, { tenantId }: Actor, id: string): Promise<PackageFile> {
  const [row] = isUuid(id)
    ? await query<FileRow>(
        `SELECT file_name, content_type, data_size::float8 AS size, encode(sha256, 'hex') AS sha256 FROM ota_package
         WHERE id = $1::uuid AND tenant_id = $2::uuid AND deleted_at IS NULL AND sha256 IS NOT NULL`,
        [id, tenantId],
      )
    : [];
  if (row === undefined) throw new NotFoundError('A package with bytes');
  const { sha256, size } = row;
  return {
    fileName: row.file_name ?? id,
    contentType: row.content_type ?? 'application/octet-stream',
    size,
    sha256,
    read: ({ start, end }) => packageStore.read(sha256, start, end - start),
    open: ({ start, end }) => packageStore.open(sha256, { start, length: end - start }),
    served: () => undefined,
  };
}
