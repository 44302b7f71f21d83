/** `/attributes/updates`: the answer waits until the shared attributes change. */
import { ValidationError } from '../../domain/errors.ts';
import { answerJson } from './answer.ts';
import { countOf } from './exchange.ts';
import type { Exchange } from './exchange.ts';

/**
 * Values that are due come alone, in one object for both types: a client of this call replaces what it knows by what it hears, so
 * keys that do not apply any more need no word. A deletion is told where there are no values: after an unassignment.
 */
export async function awaitAttributes({ api, limits, device, query, outgoing }: Exchange): Promise<void> {
  const gone = new AbortController();
  const abort = (): void => gone.abort();
  outgoing.once('close', abort);
  // Gone already, while we looked who it is.
  if (outgoing.destroyed) abort();
  try {
    const offers = await api.awaitOffers(device, timeoutOf(query, limits), gone.signal);
    const withValues = offers.filter(({ values }) => values !== null);
    const told = withValues.length > 0 ? withValues : offers;
    outgoing.once('finish', () => told.forEach((offer) => offer.delivered()));
    if (withValues.length > 0)
      answerJson(outgoing, 200, Object.assign({}, ...withValues.map(({ values }) => values)) as object);
    else if (told.length > 0) answerJson(outgoing, 200, { deleted: told.flatMap(({ deleted }) => deleted) });
    else answerJson(outgoing, 408, { status: 408, message: 'Nothing changed in this time.' });
  } finally {
    outgoing.off('close', abort);
  }
}

/** 0 means the default, as in ThingsBoard. */
function timeoutOf(query: URLSearchParams, limits: { longPollDefaultMs: number; longPollMaxMs: number }): number {
  const timeout = countOf(query, 'timeout');
  if (query.has('timeout') && query.get('timeout') === '')
    throw new ValidationError('"timeout" must be a whole number.');
  return timeout === 0 ? limits.longPollDefaultMs : Math.min(timeout, limits.longPollMaxMs);
}
