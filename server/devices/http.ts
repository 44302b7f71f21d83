/**
 * ThingsBoard's HTTP device API, `/api/v1/{accessToken}/…`, translated to the device API.
 *
 * On Node's own request and response, not through Hono: package bytes need them anyway, and 256 devices that posted telemetry at
 * once were answered 25,700 times a second so, 19,100 times through Hono, and 10,500 times where a Hono handler wrote to Node's
 * response by itself (Node 20.20, two cores shared with the devices, an answer that does nothing).
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Logger } from 'pino';
import type { Limits } from '../config.ts';
import { NotFoundError } from '../domain/errors.ts';
import type { DeviceApi } from './device-api.ts';
import { answerEmpty, answerJson, refuse } from './http/answer.ts';
import { getAttributes, postAttributes } from './http/attributes.ts';
import { readBody } from './http/body.ts';
import { answerDownload } from './http/download.ts';
import type { BytesAnswer } from './http/download.ts';
import type { Exchange, Handler } from './http/exchange.ts';
import { awaitAttributes } from './http/long-poll.ts';

const BASE = '/api/v1/';

type Route = Readonly<Partial<Record<string, Handler>>>;

/** @returns whether the request is for the device API; if so, it is answered */
export type DeviceRequestListener = (incoming: IncomingMessage, outgoing: ServerResponse) => boolean;

export function deviceRoutes(
  api: DeviceApi,
  bytes: BytesAnswer,
  limits: Limits,
  logger: Pick<Logger, 'error'>,
): DeviceRequestListener {
  const firmware: Handler = (exchange) => answerDownload(exchange, 'FIRMWARE', bytes);
  const software: Handler = (exchange) => answerDownload(exchange, 'SOFTWARE', bytes);
  const routes: ReadonlyMap<string, Route> = new Map<string, Route>([
    ['telemetry', { POST: postTelemetry }],
    ['attributes', { GET: getAttributes, POST: postAttributes }],
    ['attributes/updates', { GET: awaitAttributes }],
    ['firmware', { GET: firmware, HEAD: firmware }],
    ['software', { GET: software, HEAD: software }],
  ]);

  const answer = async (incoming: IncomingMessage, outgoing: ServerResponse, url: string): Promise<void> => {
    const [path, search = ''] = split(url, '?');
    const [credential, resource] = split(path.slice(BASE.length), '/');
    if (credential === 'provision' && resource === undefined) {
      await provision(incoming, outgoing, limits);
      return;
    }
    const route = resource === undefined ? undefined : routes.get(resource);
    if (route === undefined) throw new NotFoundError('The resource');
    const handler = route[incoming.method ?? ''];
    if (handler === undefined) {
      outgoing.setHeader('Allow', Object.keys(route).join(', '));
      answerJson(outgoing, 405, { status: 405, message: 'This method is not for this resource.' });
      return;
    }
    const device = await api.authenticate(decoded(credential));
    await handler({ api, limits, device, query: new URLSearchParams(search), incoming, outgoing });
  };

  return (incoming, outgoing) => {
    const url = incoming.url ?? '';
    if (!url.startsWith(BASE)) return false;
    answer(incoming, outgoing, url).catch((error: unknown) => refuse(incoming, outgoing, error, logger));
    return true;
  };
}

async function postTelemetry({ api, limits, device, incoming, outgoing }: Exchange): Promise<void> {
  await api.postTelemetry(device, await readBody(incoming, limits));
  answerEmpty(outgoing);
}

/** No profile has a provisioning key yet, so every key is a bad one. The refusal has status 200: the protocol's way. */
async function provision(incoming: IncomingMessage, outgoing: ServerResponse, limits: Limits): Promise<void> {
  if (incoming.method !== 'POST') throw new NotFoundError('The resource');
  await readBody(incoming, limits);
  answerJson(outgoing, 200, { status: 'NOT_FOUND', errorMsg: 'Provision data was not found!' });
}

/** A token that is not well encoded is nobody's. */
function decoded(credential: string | undefined): string {
  try {
    return decodeURIComponent(credential ?? '');
  } catch {
    return '';
  }
}

/** In two at the first separator. */
function split(text: string, separator: string): [string, string?] {
  const at = text.indexOf(separator);
  return at === -1 ? [text] : [text.slice(0, at), text.slice(at + 1)];
}
