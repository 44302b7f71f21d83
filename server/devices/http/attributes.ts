/** `/attributes`: what a device posts about itself, and what it may read. */
import { writeJson } from '../device-json.ts';
import type { Json } from '../device-json.ts';
import { answerEmpty, answerJson } from './answer.ts';
import { readBody } from './body.ts';
import type { Exchange } from './exchange.ts';

export async function postAttributes({ api, limits, device, incoming, outgoing }: Exchange): Promise<void> {
  await api.postAttributes(device, await readBody(incoming, limits));
  answerEmpty(outgoing);
}

/** An empty section is left out. */
export async function getAttributes({ api, device, query, outgoing }: Exchange): Promise<void> {
  const [client, shared] = [keysOf(query, 'clientKeys'), keysOf(query, 'sharedKeys')];
  const isAll = client.length + shared.length === 0;
  const found = await api.attributes(device, isAll ? { client: undefined, shared: undefined } : { client, shared });
  const sections = Object.entries({ client: found.client, shared: found.shared as Json });
  outgoing.once('finish', () => found.delivered());
  answerJson(
    outgoing,
    200,
    writeJson(Object.fromEntries(sections.filter(([, section]) => Object.keys(section ?? {}).length > 0))),
  );
}

/** Comma-separated, or a parameter for each key: the official client does both. */
function keysOf(query: URLSearchParams, name: string): string[] {
  return query
    .getAll(name)
    .flatMap((keys) => keys.split(','))
    .map((key) => key.trim())
    .filter((key) => key !== '');
}
